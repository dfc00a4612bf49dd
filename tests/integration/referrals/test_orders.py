"""New, update, revoke, late and repeated messages of a case in all orders: right state, complete history."""

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
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

from bars_portal.exchange.arrival import StoredReply
from bars_portal.exchange.models import InboundMessage, InboundState
from bars_portal.exchange.transport.headers import Party
from referrals.cases.models import ValidationCase
from referrals.cases.selectors import changes_of, replies_of, versions_of
from referrals.cases.states import Category
from tests.factories.referrals import make_hub, make_sent_case
from tests.integration.referrals.official import (
    Bundle,
    adapted,
    answering,
    example,
    issue,
    of_type,
    resources,
    send,
)
from tests.profiles import examples

START = datetime(2026, 11, 21, 8, tzinfo=UTC)
# When the sender wrote a message: they arrive in any order.
minutes = st.integers(min_value=0, max_value=4)


class OneCase(RuleBasedStateMachine):
    """A validation request and its sender, who sends in any order; `model` is what we should hold."""

    requests: dict[str, Bundle]

    @initialize()
    def begin(self) -> None:
        self.hub, self.conversation = make_hub(), uuid4()
        self.status = ""
        self.events: list[str] = []
        self.newest, self.breach = -1, START
        self.last: tuple[UUID, Bundle, int] | None = None

    @precondition(lambda self: not self.status)
    @rule(minute=minutes)
    def new(self, minute: int) -> None:
        self.tell("new", "active", minute)

    @rule(minute=minutes)
    def update(self, minute: int) -> None:
        self.tell("update", "active", minute)

    @rule(minute=minutes)
    def revoke(self, minute: int) -> None:
        self.tell("cancel", "revoked", minute)

    @rule(minute=minutes)
    def entered_in_error(self, minute: int) -> None:
        self.tell("cancel", "entered-in-error", minute)

    @precondition(lambda self: self.last is not None)
    @rule()
    def repeat(self) -> None:
        """The same request id: done is a duplicate, refused is judged afresh."""
        assert self.last is not None
        request_id, bundle, status = self.last
        if status == 200:
            assert issue(self.send(bundle, request_id)) == (409, "duplicate")

    def tell(self, kind: str, status: str, minute: int) -> None:
        bundle = self.message(kind, status, minute)
        request_id = uuid4()
        reply = self.send(bundle, request_id)
        expected = self.expected(kind, minute)
        assert (reply.status, "") == (200, "") if expected == (200, "") else issue(reply) == expected
        self.last = (request_id, bundle, reply.status)
        if expected == (200, ""):
            self.took(kind, status, minute, reply)

    def expected(self, kind: str, minute: int) -> tuple[int, str]:
        if kind == "new":
            return 200, ""
        if not self.status:
            return 404, "not-found"
        if self.status != "received":
            return 422, "processing"
        return (409, "conflict") if minute < self.newest else (200, "")

    def took(self, kind: str, status: str, minute: int, reply: StoredReply) -> None:
        names = {"active": f"receive{'' if kind == 'new' else '-update'}", "revoked": "receive-revoke"}
        self.events.append(names.get(status, "receive-entered-in-error"))
        self.status = status if kind == "cancel" else "received"
        if kind != "cancel" and minute > self.newest:
            # An equal stamp means that nothing changed, whatever is written beside it.
            self.breach = self.written
        self.newest = minute
        answered = of_type(json.loads(reply.body), "ServiceRequest")
        assert answered["meta"]["versionId"] == str(len(self.events))

    def message(self, kind: str, status: str, minute: int) -> Bundle:
        bundle = {**deepcopy(self.requests[kind]), "id": str(uuid4())}
        bundle = adapted(bundle, self.hub)
        for resource in resources(bundle):
            resource["meta"]["lastUpdated"] = (START + timedelta(minutes=minute)).isoformat()
        request = of_type(bundle, "ServiceRequest")
        self.written = START + timedelta(hours=1, seconds=len(self.events))
        request["status"] = status
        request["occurrencePeriod"] = {"start": START.isoformat(), "end": self.written.isoformat()}
        return bundle

    def send(self, bundle: Bundle, request_id: UUID) -> StoredReply:
        return send(bundle, request_id=request_id, correlation_id=self.conversation)

    @invariant()
    def what_we_hold_is_what_was_taken(self) -> None:
        case = ValidationCase.objects.filter(service=self.hub).first()
        if case is None:
            assert not self.events
            return
        assert (case.status, case.version) == (self.status, len(self.events))
        assert [each.event for each in changes_of(case)] == self.events
        versions = list(versions_of(case))
        assert [each.number for each in versions] == list(range(1, len(self.events) + 1))
        assert (case.breach_at, versions[-1].resource) == (self.breach, case.resource)
        taken = InboundMessage.objects.filter(correlation_id=self.conversation, state=InboundState.ACCEPTED)
        assert taken.count() == len(self.events), "history and message log agree"


class OneSentCase(RuleBasedStateMachine):
    """A validation that we asked for, and who answers it in any order: `model` is its history."""

    replies: dict[str, Bundle]
    # What is heard, and the statuses that it moves on (others keep what they are).
    heard = {
        "VALRESP01A": ("hear-started", {"sent": "in-progress"}),
        "VALRESP04": ("hear-rejected", {"sent": "rejected", "in-progress": "rejected"}),
        "VALRESP02": ("hear-completed", dict.fromkeys(("sent", "in-progress", "rejected"), "completed")),
    }

    @initialize()
    def begin(self) -> None:
        self.hub, self.bundle_id = make_hub(), str(uuid4())
        self.case = make_sent_case(Category.VALIDATION, bundle_id=self.bundle_id)
        self.steps, self.kept, self.newest, self.refused = [("send", "sent")], 0, -1, 0

    @rule(
        name=st.sampled_from(sorted(heard)),
        minute=minutes,
        who=st.sampled_from([Party("RX111", "Asked"), Party("ZZ999", "Else")]),
    )
    def answered(self, name: str, minute: int, who: Party) -> None:
        reply = self.send(name, minute, organisation=who)
        if minute < self.newest:
            assert issue(reply) == (409, "conflict")
            self.refuse("too late")
            return
        assert reply.status == 200, reply.body
        event, moves = self.heard[name]
        self.newest, self.kept = minute, self.kept + 1
        self.steps.append((event, moves.get(self.status, self.status)))

    def refuse(self, why: str) -> None:
        self.steps.append(("refuse-reply", self.status))
        self.refused += 1
        assert why in list(changes_of(self.case))[-1].note

    @property
    def status(self) -> str:
        return self.steps[-1][1]

    def send(self, name: str, minute: int, **who: Any) -> StoredReply:
        bundle = answering(adapted(deepcopy(self.replies[name]), self.hub), self.bundle_id)
        for resource in resources(bundle):
            resource["meta"]["lastUpdated"] = (START + timedelta(minutes=minute)).isoformat()
        return send(bundle, **who)

    @invariant()
    def the_history_is_complete(self) -> None:
        self.case.refresh_from_db()
        assert [(each.event, each.to_status) for each in changes_of(self.case)] == self.steps
        assert (self.case.status, replies_of(self.case).count()) == (self.status, self.kept)
        refused = changes_of(self.case).filter(message__state=InboundState.REFUSED)
        assert refused.count() == self.refused


@pytest.mark.django_db
def test_replies_in_any_order_leave_the_right_state_and_a_complete_history(shared_dir: Path) -> None:
    loaded: dict[str, Any] = {name: example(shared_dir, name) for name in OneSentCase.heard}
    machine = type("OneSentCase", (OneSentCase,), {"replies": loaded})
    quick = settings(
        max_examples=examples(6, thorough=60),
        stateful_step_count=7,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    run_state_machine_as_test(machine, settings=quick)


@pytest.mark.django_db
def test_any_order_leaves_the_right_state_and_a_complete_history(shared_dir: Path) -> None:
    names = {"new": "VALREQ01", "update": "VALREQ02", "cancel": "SERVREQ01"}
    loaded: dict[str, Any] = {kind: example(shared_dir, name) for kind, name in names.items()}
    machine = type("OneCase", (OneCase,), {"requests": loaded})
    quick = settings(
        max_examples=examples(6, thorough=60),
        stateful_step_count=7,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    run_state_machine_as_test(machine, settings=quick)
