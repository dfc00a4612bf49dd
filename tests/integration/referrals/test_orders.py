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
from referrals.models import ValidationCase
from referrals.selectors import changes_of, versions_of
from tests.factories.referrals import make_hub
from tests.integration.referrals.official import Bundle, adapted, example, issue, of_type, resources, send

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


@pytest.mark.django_db
def test_any_order_leaves_the_right_state_and_a_complete_history(shared_dir: Path) -> None:
    names = {"new": "VALREQ01", "update": "VALREQ02", "cancel": "SERVREQ01"}
    loaded: dict[str, Any] = {kind: example(shared_dir, name) for kind, name in names.items()}
    machine = type("OneCase", (OneCase,), {"requests": loaded})
    quick = settings(
        max_examples=15,
        stateful_step_count=7,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    run_state_machine_as_test(machine, settings=quick)
