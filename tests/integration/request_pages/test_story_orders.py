"""Each story at its pages, in any order: two people a side, old screens, double clicks, lost answers."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
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

from bars_portal.correspondence.states import Direction
from bars_portal.exchange.arrival import Arrival
from bars_portal.exchange.delivery import deliver
from bars_portal.exchange.fhir.codes import CAD_USE_CASES, VALIDATION_USE_CASES, UseCase
from bars_portal.exchange.inbound import receive
from bars_portal.exchange.models import DeliveryState, OutboundMessage
from bars_portal.exchange.transport.headers import decode_headers
from directory.models import HealthcareService
from referrals.cases.models import MODELS, Case, Referral, ValidationCase
from referrals.cases.selectors import changes_of, replies_of, responses_of, versions_of
from referrals.cases.states import CaseEvent, CaseStatus, Category, next_status
from referrals.forms.steps import DONE
from referrals.parts.applications import application_of
from referrals.sending.models import RequestDraft
from tests.factories.accounts import make_acting
from tests.factories.referrals import make_hub
from tests.integration.booking_pages.conftest import client_of
from tests.integration.bookings.loopback import Fault, Loopback, refusing, timeout
from tests.integration.request_pages.conftest import OWN_SERVICE_ID
from tests.integration.request_pages.minimal import minimal
from tests.profiles import daily, examples

# The others are mostly the buttons of the first one, behind other steps: thorough.
STORIES = {
    "111 to an emergency department": UseCase.A1T1,
    "validation of a category 3 call": UseCase.A4T1,
    "practice to pharmacy": UseCase.A5T1,
    "ambulance control to its neighbour": UseCase.A6T3,
}
_YESTERDAY = datetime.now(UTC) - timedelta(days=1)
_DAY = {name: str(getattr(_YESTERDAY, name)) for name in ("day", "month", "year")}
SEND = {"send": "yes"}
OUTCOME = {
    "disposition": "hear-and-treat",
    "priority": "C5",
    "narrative": "Advice given",
    "triage_1": "Dx335",
}
MISSED = {
    "start": "10:00",
    "end": "10:15",
    "concern": "yes",
    "safeguarding": "U",
    "safeguarding_words": "Alone",
}
PRESSES: dict[str, dict[str, str]] = {
    "accept": {},
    "start": {},
    "reject": {"reason": "OTH", "words": "Not our area", **SEND},
    "complete": {"words": "Seen", **SEND},
    "outcome": {**OUTCOME, **SEND},
    "did-not-attend": {**MISSED, **{f"day-{name}": value for name, value in _DAY.items()}, **SEND},
    "cad-status": SEND,
}
Button = tuple[str, dict[str, str]]
_DECIDED: list[Button] = [
    ("accept", {}),
    ("start", {}),
    ("reject", {}),
    ("complete", {}),
    ("did-not-attend", {}),
]
_CAD: list[Button] = [("cad-status", {"status": each}) for each in ("planned", "in-progress", "finished")]
# What the page of each story offers.
OFFERED: dict[UseCase, list[Button]] = {
    UseCase.A1T1: _DECIDED,
    UseCase.A5T1: _DECIDED,
    UseCase.A4T1: [("start", {}), ("outcome", {}), ("reject", {})],
    UseCase.A6T3: [*_CAD, ("reject", {})],
}
TOLD = {CaseStatus.IN_PROGRESS, CaseStatus.COMPLETED, CaseStatus.REJECTED, CaseStatus.ACCEPTED}
people = st.sampled_from([0, 1])
positions = st.integers(0, 4)
buttons = st.integers(0, 9)


class Story(RuleBasedStateMachine):
    """One request of one use case."""

    network: Loopback
    use_case: UseCase

    @initialize(arrived=st.sampled_from([False, True, True]))
    def begin(self, arrived: bool) -> None:
        own = HealthcareService.objects.get(service_id=OWN_SERVICE_ID)
        self.hub = make_hub(accepted_use_cases=[each.value for each in UseCase])
        author = make_acting(organisation=own.provider)
        colleague = make_acting(organisation=own.provider)
        self.senders = [client_of(author), client_of(colleague)]
        self.receivers = [client_of(make_acting(organisation=self.hub.provider)) for _ in range(2)]
        now = datetime.now(UTC)
        self.draft = RequestDraft.objects.create(
            user=author.user,
            organisation=own.provider,
            service=self.hub,
            use_case=self.use_case.value,
            typed={slug: {**typed, DONE: "1"} for slug, typed in minimal(self.use_case).items()},
            created_at=now,
            updated_at=now,
        )
        self.network.before, self.network.after = [], []
        if arrived:
            self.sends(twice=True)
            self.send_one(0)

    # The side that asks.

    @rule(twice=st.booleans())
    def sends(self, twice: bool) -> None:
        """Also a second press, and the button again after the back button."""
        address = reverse("referrals:request-check", args=[self.draft.pk])
        for _ in range(2 if twice else 1):
            assert self.senders[0].post(address)["Location"].endswith(f"/{self.sent.pk}/")
        assert self.senders[0].get(address).status_code == 302

    @precondition(lambda self: self.has_sent)
    @rule(person=people, how=st.sampled_from(["revoked", "entered-in-error"]), twice=st.booleans())
    def takes_back(self, person: int, how: str, twice: bool) -> None:
        address = reverse("referrals:take-back", args=[self.sent.pk])
        before = changes_of(self.sent).count()
        for _ in range(2 if twice else 1):
            answer = self.senders[person].post(address, {"how": how, "reason": "Better"})
            assert answer.status_code in (200, 302)
        assert changes_of(self.sent).count() <= before + 1

    @precondition(lambda self: self.has_sent and self.in_state(DeliveryState.UNKNOWN))
    @rule(person=people)
    def checks_again(self, person: int) -> None:
        self.senders[person].post(reverse("referrals:check-again", args=[self.sent.pk]))

    @precondition(lambda self: self.has_sent and self.use_case in VALIDATION_USE_CASES | CAD_USE_CASES)
    @rule()
    def updates(self) -> None:
        """Begun at the case's page; what was sent before is filled in."""
        new = reverse("referrals:new", query={"update": self.sent.pk})
        begun = self.senders[0].post(new, {"use_case": self.use_case.value})
        if begun.status_code == 302:
            self.senders[0].post(f"{begun['Location']}check/")
            again = self.senders[0].post(f"{begun['Location']}check/")
            assert again.status_code in (200, 302)

    # The side that answers.

    @precondition(lambda self: self.held is not None)
    @rule(person=people, button=buttons, twice=st.booleans())
    def presses(self, person: int, button: int, twice: bool) -> None:
        """A button of a page that is up to date; the second press finds it done."""
        page = self.receivers[person].get(self.page("received")).content.decode()
        shown = re.search(r'name="seen" value="(\d+)"', page)
        before = changes_of(self.received).count()
        assert shown is None or int(shown[1]) == before
        self.press(person, button, seen=before, times=2 if twice else 1)
        assert changes_of(self.received).count() <= before + 1

    @precondition(lambda self: self.held is not None)
    @rule(person=people, button=buttons)
    def presses_on_an_old_screen(self, person: int, button: int) -> None:
        """Something happened since: nothing is decided behind anybody's back."""
        before = changes_of(self.received).count()
        self.press(person, button, seen=before - 1)
        assert changes_of(self.received).count() == before

    def press(self, person: int, button: int, *, seen: int, times: int = 1) -> None:
        offered = OFFERED[self.use_case]
        name, extra = offered[button % len(offered)]
        for _ in range(times):
            typed = {**PRESSES[name], **extra, "seen": str(seen)}
            assert self.receivers[person].post(self.page(name), typed).status_code in (200, 302)

    # The wire.

    @precondition(lambda self: self.waiting)
    @rule(position=positions)
    def arrives(self, position: int) -> None:
        self.send_one(position)

    @precondition(lambda self: self.waiting)
    @rule(position=positions)
    def answer_is_lost(self, position: int) -> None:
        self.send_one(position, after=timeout)

    @precondition(lambda self: self.waiting)
    @rule(position=positions, fault=st.sampled_from([timeout, refusing(500, "REC_SERVER_ERROR")]))
    def does_not_arrive(self, position: int, fault: Fault) -> None:
        self.send_one(position, before=fault)

    @precondition(lambda self: self.has_sent and self.in_state(DeliveryState.ACCEPTED))
    @rule(position=positions)
    def comes_a_second_time(self, position: int) -> None:
        """The very same message, late: its request id is known, so nothing is done again."""
        done = self.in_state(DeliveryState.ACCEPTED)
        message = done[position % len(done)]
        raw = {name: str(value) for name, value in message.headers.items()}
        raw |= {"X-Request-ID": str(message.request_id), "X-Correlation-ID": str(message.correlation_id)}
        again = receive(Arrival(bytes(message.body), raw, decode_headers(raw), "proxy", datetime.now(UTC)))
        assert again.status == 409

    def send_one(self, position: int, before: Fault | None = None, after: Fault | None = None) -> None:
        waiting = self.waiting
        self.network.now = datetime.now(UTC)
        self.network.before, self.network.after = [before] if before else [], [after] if after else []
        chosen = waiting[position % len(waiting)]
        deliver(chosen.pk, client=self.network.client, clock=lambda: datetime.now(UTC))
        self.network.before, self.network.after = [], []

    # What holds at any time.

    @invariant()
    def every_case_is_where_its_history_leads(self) -> None:
        cases = list(self.cases())
        kinds = [case.direction for case in cases]
        assert len(kinds) == len(set(kinds)), "there is one case on each side"
        for case in cases:
            status: CaseStatus | None = None
            for change in changes_of(case):
                assert change.from_status == (status.value if status else "")
                status = next_status(
                    Category(case.category), Direction(case.direction), status, CaseEvent(change.event)
                )
                assert change.to_status == status
            assert case.status == status
            assert versions_of(case).count() in (case.version, 0)

    @invariant()
    def nothing_is_told_twice(self) -> None:
        if self.has_sent:
            told = [each.bundle_id for each in replies_of(self.sent)]
            assert len(told) == len(set(told))

    def teardown(self) -> None:
        """At last everything gets through, and both sides agree; every page of the case can be read."""
        if not hasattr(self, "draft"):
            return
        for _ in range(4):
            while self.waiting:
                self.send_one(0)
            self.again()
        self.every_case_is_where_its_history_leads()
        if self.held is not None:
            self.agree(self.sent, self.received)
            assert self.receivers[0].get(self.page("received")).status_code == 200
        if self.has_sent:
            for name in ("sent-case", "confirmation"):
                address = reverse(f"referrals:{name}", args=[self.sent.pk])
                assert self.senders[1].get(address).status_code == 200

    def again(self) -> None:
        if self.has_sent:
            self.senders[0].post(reverse("referrals:check-again", args=[self.sent.pk]))
        if self.held is not None:
            for answer in list(responses_of(self.received))[-1:]:
                for name in ("check-answer", "send-answer"):
                    self.receivers[0].post(reverse(f"referrals:{name}", args=[answer.pk]))

    def agree(self, sent: Case, received: Case) -> None:
        """The standard has no word for a referral that was accepted, unless ambulance controls speak."""
        both = {CaseStatus(sent.status), CaseStatus(received.status)}
        ended = {CaseStatus.REVOKED, CaseStatus.ENTERED_IN_ERROR}
        told = received.status in TOLD and self.use_case in VALIDATION_USE_CASES | CAD_USE_CASES
        if told or (both & ended and CaseStatus.DID_NOT_ATTEND not in both):
            assert len(both) == 1

    # Who and what.

    def cases(self) -> Iterator[Case]:
        for model in (Referral, ValidationCase):
            yield from model.objects.filter(service=self.hub).order_by("created_at")

    def of(self, direction: Direction) -> Case | None:
        """Of the kind that the story is of; that there is none of the other, `cases()` shows."""
        model = MODELS[application_of(self.use_case).category]
        rows = model.objects.filter(service=self.hub, direction=direction)
        found: Case | None = rows.order_by("created_at").first()
        return found

    @property
    def has_sent(self) -> bool:
        return hasattr(self, "draft") and self.of(Direction.SENT) is not None

    @property
    def held(self) -> Case | None:
        return self.of(Direction.RECEIVED) if hasattr(self, "draft") else None

    @property
    def sent(self) -> Case:
        case = self.of(Direction.SENT)
        assert case is not None
        return case

    @property
    def received(self) -> Case:
        case = self.of(Direction.RECEIVED)
        assert case is not None
        return case

    @property
    def waiting(self) -> list[OutboundMessage]:
        if not self.has_sent:
            return []
        return self.in_state(DeliveryState.QUEUED)

    def page(self, name: str) -> str:
        return reverse(f"referrals:{name}", args=[self.received.pk])

    def in_state(self, state: DeliveryState) -> list[OutboundMessage]:
        """Messages of the conversation, oldest first."""
        rows = OutboundMessage.objects.filter(correlation_id=self.sent.correlation_id, state=state)
        return list(rows.order_by("created_at"))


@pytest.mark.django_db
@pytest.mark.parametrize("story", daily(STORIES, lambda story: STORIES[story] is UseCase.A1T1))
def test_any_order_at_the_pages_leaves_both_sides_right(network: Loopback, story: str) -> None:
    make_hub(service_id=OWN_SERVICE_ID, provider=make_acting().organisation, accepted_use_cases=[])
    machine = type("OneStory", (Story,), {"network": network, "use_case": STORIES[story]})
    quick = quickly(
        max_examples=examples(2, thorough=20),
        stateful_step_count=10,
        deadline=None,
        # A step is pages and dozens of statements: shrinking would take minutes, and the steps are told.
        phases=[Phase.reuse, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    run_state_machine_as_test(machine, settings=quick)
