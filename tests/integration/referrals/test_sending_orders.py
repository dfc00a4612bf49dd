"""A validation request and all that may cross on the wire, in any order: the right state, nothing lost."""

from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bars_portal.accounts import permissions
from bars_portal.correspondence.states import Direction
from bars_portal.exchange import outbox
from bars_portal.exchange.fhir.codes import ARPPriority, UseCase
from referrals.cases.models import Case, ValidationCase
from referrals.cases.selectors import changes_of, replies_of, versions_of
from referrals.cases.states import CaseStatus
from referrals.parts.assessment import Assessment
from referrals.sending import policies
from tests.factories.contents import make_content
from tests.factories.referrals import make_hub
from tests.integration.bookings.loopback import Fault, Loopback, refusing, timeout
from tests.integration.referrals.sending import Desk, theirs
from tests.profiles import examples

FAULTS: dict[str, tuple[str, Fault] | None] = {
    "none": None,
    "lost on the way": ("before", timeout),
    "answer lost": ("after", timeout),
    "refused": ("before", refusing(422, "REC_UNPROCESSABLE_ENTITY")),
}
NOT_HEARD_OF = {CaseStatus.REQUESTED, CaseStatus.UNKNOWN, CaseStatus.REFUSED, CaseStatus.SENT}


class OneRequest(RuleBasedStateMachine):
    """What the sender's people do, what the network does, and what the responder says."""

    first: Desk

    @initialize()
    def begin(self) -> None:
        """Another receiver for every example; our own address stays."""
        hub = make_hub(accepted_use_cases=[each.value for each in UseCase])
        self.sender = Desk(self.first.acting, hub, Loopback(), self.first.own)
        self.case: Case = self.sender.validate()
        self.heard: set[str] = set()
        self.was_completed = False

    @precondition(lambda self: self.queued())
    @rule(fault=st.sampled_from(sorted(FAULTS)))
    def deliver(self, fault: str) -> None:
        # Who was given it before knows it: nobody refuses what is only a repeat.
        message = outbox.latest_for(self.case)
        repeated = message is not None and message.attempts.exists()
        drill = None if repeated and fault == "refused" else FAULTS[fault]
        if drill is not None:
            getattr(self.sender.network, drill[0]).append(drill[1])
        self.case = self.sender.arrive(self.case)
        self.sender.network.before.clear()
        self.sender.network.after.clear()

    @precondition(lambda self: policies.can_check_again(self.sender.acting, self.case))
    @rule()
    def check_again(self) -> None:
        self.case = self.sender.check_again(self.case)

    @precondition(lambda self: policies.can_take_back(self.sender.acting, self.case))
    @rule(in_error=st.booleans())
    def take_back(self, in_error: bool) -> None:
        self.attempt(self.sender.in_error if in_error else self.sender.revoke)

    @precondition(lambda self: policies.can_update(self.sender.acting, self.case))
    @rule(priority=st.sampled_from(ARPPriority))
    def update(self, priority: ARPPriority) -> None:
        content = make_content(UseCase.A4T1, assessment=Assessment(priority=priority))
        self.attempt(lambda case: self.sender.update(case, content))

    def attempt(self, act: Any) -> None:
        try:
            self.case = act(self.case)
        except permissions.PolicyRefused:
            # The receiver has no such case: a reply was heard to a request that never arrived.
            assert not self.arrived()
            self.case.refresh_from_db()

    @rule(status=st.sampled_from(["in-progress", "cancelled", "finished"]))
    def reply(self, status: str) -> None:
        """At any time: also before the answer to our own message."""
        self.sender.tick()
        reply = self.sender.hear(self.case, status)
        self.case.refresh_from_db()
        assert reply.status == 200, reply.body
        self.heard.add(status)

    def queued(self) -> bool:
        message = outbox.unsettled(self.case)
        return message is not None and message.state == "queued"

    def arrived(self) -> bool:
        return ValidationCase.objects.filter(
            service=self.sender.service, direction=Direction.RECEIVED
        ).exists()

    @invariant()
    def what_was_heard_counts(self) -> None:
        if self.heard:
            assert self.case.status not in NOT_HEARD_OF
        assert not self.was_completed or self.case.status == CaseStatus.COMPLETED
        self.was_completed = self.case.status == CaseStatus.COMPLETED
        assert self.was_completed == ("finished" in self.heard)

    @invariant()
    def the_history_is_whole(self) -> None:
        changes = list(changes_of(self.case))
        assert changes[-1].to_status == self.case.status
        assert all(a.to_status == b.from_status for a, b in pairwise(changes))
        numbers = [each.number for each in versions_of(self.case)]
        assert numbers == list(range(1, self.case.version + 1))
        assert replies_of(self.case).count() >= len(self.heard)

    def teardown(self) -> None:
        """Once the network works and everything is checked, both sides agree."""
        if not hasattr(self, "case"):
            return
        for _ in range(3):
            self.case = self.sender.arrive(self.case)
            if policies.can_check_again(self.sender.acting, self.case):
                self.case = self.sender.check_again(self.case)
        assert outbox.unsettled(self.case) is None
        assert (self.case.pending, self.case.status in ("requested", "unknown")) == (None, False)
        received = ValidationCase.objects.filter(service=self.sender.service, direction=Direction.RECEIVED)
        assert received.count() <= 1, "never two cases of one request"
        if self.arrived():
            self.agree(theirs(self.case))
        elif not self.heard:
            assert self.case.status == CaseStatus.REFUSED

    def agree(self, held: Any) -> None:
        assert (self.case.priority, self.case.remote_id) == (held.priority, str(held.pk))
        over = ("revoked", "entered-in-error")
        if "finished" not in self.heard:
            assert (self.case.status in over) == (held.status in over)
        if self.case.status in over:
            assert self.case.status == held.status


def test_any_order_comes_to_one_truth(sender: Desk) -> None:
    machine = type("OneRequest", (OneRequest,), {"first": sender})
    quick = settings(
        max_examples=examples(8, thorough=80),
        stateful_step_count=9,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    run_state_machine_as_test(machine, settings=quick)
