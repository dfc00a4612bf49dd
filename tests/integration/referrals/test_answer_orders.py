"""Decisions of two people, updates and revokes crossing them, answers lost, refused or overtaken."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as quickly
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.correspondence.states import Direction, TransitionRefused
from bars_portal.exchange.delivery import deliver
from bars_portal.exchange.fhir.codes import ARPPriority, RejectedReason
from bars_portal.exchange.models import DeliveryState, OutboundMessage, PartnerCircuit
from bars_portal.exchange.waiting import may_go_out
from referrals.cases.models import Case, CaseAnswer
from referrals.cases.selectors import changes_of, replies_of, responses_of, versions_of
from referrals.cases.states import CaseEvent, CaseStatus, Category, ResponseState, next_status
from referrals.responding import decisions, delivery
from referrals.responding.content import Disposition, Rejection
from tests.factories.accounts import make_acting
from tests.integration.bookings.loopback import Fault, refusing, timeout
from tests.integration.referrals.desk import AnsweringDesk, outcome, own_address
from tests.integration.referrals.official import resources
from tests.profiles import examples

people = st.sampled_from([0, 1])
positions = st.integers(0, 5)
Decide = Callable[..., decisions.Decided]
VALIDATION = Category.VALIDATION
# Of a first attempt the second one is final; of a repeat neither is, for a response cannot be read back.
REFUSALS = [refusing(500, "REC_SERVER_ERROR"), refusing(422, "REC_UNPROCESSABLE_ENTITY")]
HEARD = {
    "interim": CaseEvent.HEAR_STARTED,
    "rejected": CaseEvent.HEAR_REJECTED,
    "full": CaseEvent.HEAR_COMPLETED,
}


class Answering(RuleBasedStateMachine):
    """A validation that we hold. `status` and `events` are what should have become of it."""

    shared: Path

    @initialize()
    def begin(self) -> None:
        self.desk = AnsweringDesk(self.shared)
        self.case = self.desk.ask("VALREQ01")
        # What a person has on the screen may be old.
        self.screens = [type(self.case).objects.get(pk=self.case.pk) for _ in range(2)]
        self.people = [self.desk.clinician, make_acting(organisation=self.desk.hub.provider)]
        self.status, self.events, self.version = CaseStatus.RECEIVED, [CaseEvent.RECEIVE], 1

    @rule(person=people, twice=st.booleans())
    def start(self, person: int, twice: bool) -> None:
        self.decide(CaseEvent.START, person, twice, decisions.start_case)

    @rule(person=people, twice=st.booleans())
    def reject(self, person: int, twice: bool) -> None:
        rejection = Rejection(RejectedReason.NOT_AVAILABLE)
        self.decide(CaseEvent.REJECT, person, twice, decisions.reject_case, rejection=rejection)

    @rule(person=people, twice=st.booleans())
    def complete(self, person: int, twice: bool) -> None:
        self.decide(CaseEvent.COMPLETE, person, twice, decisions.complete_validation, outcome=outcome())

    @rule(person=people)
    def revise(self, person: int) -> None:
        told = outcome(disposition=Disposition.DISPATCH, priority=ARPPriority.C2)
        self.decide(CaseEvent.REVISE, person, False, decisions.revise_validation, outcome=told)

    def decide(self, event: CaseEvent, person: int, twice: bool, how: Decide, **content: Any) -> None:
        for _ in range(2 if twice else 1):
            given = {"case": self.screens[person], "acting": self.people[person], **content}
            try:
                after = next_status(VALIDATION, Direction.RECEIVED, self.status, event)
            except TransitionRefused:
                with pytest.raises(PolicyRefused):
                    how(now=self.desk.later(), **given)
            else:
                assert how(now=self.desk.later(), **given).answer is not None
                self.status = after
                self.events.append(event)

    @rule()
    def the_requester_updates(self) -> None:
        self.tell("VALREQ02", CaseEvent.RECEIVE_UPDATE)

    @rule()
    def the_requester_revokes(self) -> None:
        self.tell("SERVREQ01", CaseEvent.RECEIVE_REVOKE)

    def tell(self, name: str, event: CaseEvent) -> None:
        bundle = {**deepcopy(self.desk.request(name)), "id": str(uuid4())}
        for resource in resources(bundle):
            resource["meta"]["lastUpdated"] = self.desk.later().isoformat()
        reply = self.desk.tell(bundle)
        try:
            after = next_status(VALIDATION, Direction.RECEIVED, self.status, event)
        except TransitionRefused:
            assert reply.status == 422
            return
        assert reply.status == 200, reply.body
        self.status, self.version = after, self.version + 1
        self.events.append(event)

    @rule(position=positions)
    def arrives(self, position: int) -> None:
        self.send_one(position)

    @rule(position=positions)
    def answer_is_lost(self, position: int) -> None:
        self.send_one(position, after=timeout)

    @rule(position=positions)
    def does_not_arrive(self, position: int) -> None:
        self.send_one(position, before=timeout)

    @rule(position=positions, fault=st.sampled_from(REFUSALS))
    def is_refused(self, position: int, fault: Fault) -> None:
        self.send_one(position, before=fault)

    def send_one(self, position: int, before: Fault | None = None, after: Fault | None = None) -> None:
        network = self.desk.network
        network.before, network.after = [before] if before else [], [after] if after else []
        network.now = self.desk.later()
        # Of what is queued only what no earlier answer has to go before; and nobody is spared here.
        PartnerCircuit.objects.all().delete()
        sendable = may_go_out(now=network.now).values("pk")
        waiting = list(self.messages().filter(state=DeliveryState.QUEUED, pk__in=sendable))
        if not waiting:
            return
        chosen = waiting[position % len(waiting)]
        assert deliver(chosen.pk, client=network.client, clock=lambda: network.now) is not None

    @precondition(lambda self: self.answers())
    @rule(person=people, position=positions, same=st.booleans())
    def try_again(self, person: int, position: int, same: bool) -> None:
        answers = self.answers()
        answer = answers[position % len(answers)]
        newest = answer == answers[-1]
        wanted = ResponseState.UNKNOWN if same else ResponseState.REFUSED
        how = delivery.check_response_again if same else delivery.send_response_again
        given: dict[str, Any] = {"acting": self.people[person], "now": self.desk.later()}
        if newest and answer.state == wanted:
            assert how(answer=answer, **given).state == ResponseState.SENDING
        with pytest.raises(PolicyRefused):
            how(answer=answer, **given)

    @invariant()
    def the_case_is_what_was_decided(self) -> None:
        case = self.held()
        assert (case.status, case.version) == (self.status, self.version)
        assert [each.event for each in changes_of(case)] == self.events
        assert versions_of(case).count() == self.version
        told = [each for each in self.events if not each.value.startswith("receive")]
        assert len(self.answers()) == len(told), "one answer a decision, no more"

    @invariant()
    def an_answer_is_where_its_newest_message_is(self) -> None:
        states = {"queued": "sending", "accepted": "delivered"}
        for answer in self.answers():
            message = self.messages().filter(subject_id=str(answer.pk)).latest("created_at")
            assert answer.state == states.get(message.state, message.state)
            assert answer.bundle_id == str(message.bundle_id)
            assert bool(answer.explanation) is (
                answer.state in (ResponseState.REFUSED, ResponseState.UNKNOWN)
            )

    @invariant()
    def the_requester_holds_what_it_was_told_last(self) -> None:
        sent = self.desk.sent
        sent.refresh_from_db()
        status: CaseStatus = CaseStatus.SENT
        replies = list(replies_of(sent))
        for reply in replies:
            status = next_status(VALIDATION, Direction.SENT, status, HEARD[reply.kind])
        assert sent.status == status
        stamps = [reply.responder_stamp for reply in replies]
        assert stamps == sorted(stamps, key=str), "nothing older comes after"
        held = {reply.bundle_id for reply in replies}
        assert len(held) == len(replies), "nothing is told twice"
        delivered = {each.bundle_id for each in self.answers() if each.state == ResponseState.DELIVERED}
        assert delivered <= held

    def teardown(self) -> None:
        """At last every message gets through, and the two sides agree, unless the requester took it back."""
        if not hasattr(self, "case"):
            return
        for _ in range(3):
            for _ in list(self.messages().filter(state=DeliveryState.QUEUED)):
                self.send_one(0)
            self.again()
        newest = self.answers()[-1:]
        assert all(each.state == ResponseState.DELIVERED for each in newest)
        self.the_requester_holds_what_it_was_told_last()
        if newest and self.status is not CaseStatus.REVOKED:
            assert self.desk.sent.status == self.status

    def again(self) -> None:
        for answer in self.answers()[-1:]:
            given: dict[str, Any] = {"acting": self.people[0], "now": self.desk.later(), "answer": answer}
            if answer.state == ResponseState.UNKNOWN:
                delivery.check_response_again(**given)
            elif answer.state == ResponseState.REFUSED:
                delivery.send_response_again(**given)

    def held(self) -> Case:
        case: Case = type(self.case).objects.get(pk=self.case.pk)
        return case

    def answers(self) -> list[CaseAnswer]:
        return list(responses_of(self.case))

    def messages(self) -> Any:
        """Oldest first."""
        mine = OutboundMessage.objects.filter(correlation_id=self.desk.conversation)
        return mine.order_by("created_at")


@pytest.mark.django_db
def test_any_order_leaves_both_sides_right(shared_dir: Path, settings: Any) -> None:
    own_address(settings)
    machine = type("Answering", (Answering,), {"shared": shared_dir})
    quick = quickly(
        max_examples=examples(5, thorough=50),
        stateful_step_count=12,
        deadline=None,
        # A step is dozens of statements: shrinking would take minutes, and the steps are told anyway.
        phases=[Phase.reuse, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    run_state_machine_as_test(machine, settings=quick)
