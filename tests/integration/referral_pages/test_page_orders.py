"""Real buttons of real pages in any order: old screens, double clicks, answers late, lost, twice, crossing.

Unlike the orders of services, nothing is called here but what a page offers: two people of each organisation
press what stands on the screens that they have open, be they ever so old.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as quickly
from hypothesis import strategies as st

from bars_portal.exchange.arrival import Arrival
from bars_portal.exchange.delivery import deliver
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.inbound import receive
from bars_portal.exchange.models import DeliveryState, OutboundMessage
from bars_portal.exchange.transport.headers import decode_headers
from directory.models import HealthcareService
from referrals.case_words import EVENTS
from referrals.forms.typing_in import DONE
from referrals.models import Case, Referral, RequestDraft, ValidationCase
from referrals.selectors import changes_of, replies_of
from referrals.states import CaseEvent, CaseStatus, Category, Direction, next_status
from tests.factories.accounts import make_acting
from tests.factories.referrals import make_hub
from tests.integration.bookings.loopback import Fault, Loopback, refusing, timeout
from tests.integration.referral_pages.conftest import client_of
from tests.integration.referral_pages.screens import Form, Screen, filled, look, read, send
from tests.integration.referrals.desk import OWN_SERVICE_ID
from tests.integration.request_pages.minimal import minimal

STORIES = {
    "111-to-emergency": UseCase.A1T1,
    "validation": UseCase.A4T1,
    "pharmacy": UseCase.A5T1,
    "cad-to-cad": UseCase.A6T3,
}
LENGTH = 12
# Longest way to an end: button, form, check, send; an update begins with its kind and its tasks.
MOST_HOPS = 5
SENDERS, RECEIVERS = (0, 1), (2, 3)
FAULTS: dict[str, tuple[Fault | None, Fault | None]] = {
    "taken": (None, None),
    "lost": (timeout, None),
    "answer lost": (None, timeout),
    "broken": (refusing(500, "REC_SERVER_ERROR"), None),
}


@dataclass(frozen=True)
class Press:
    """A button of the newest screen, or of the oldest that is open; on to the end of what it begins."""

    person: int
    choice: int
    old: bool
    twice: bool
    # What an ambulance control says.
    status: str


@dataclass(frozen=True)
class Delivery:
    """One of the messages that wait."""

    position: int
    fault: str


@dataclass(frozen=True)
class Repeat:
    """What arrived is posted to its receiver once more, late; and the first form by the back button."""

    position: int


Event = Press | Delivery | Repeat
positions = st.integers(0, 3)
presses = st.builds(
    Press,
    person=st.sampled_from((*SENDERS, *RECEIVERS, *RECEIVERS)),
    choice=st.integers(0, 7),
    old=st.sampled_from([False, False, True]),
    twice=st.booleans(),
    status=st.sampled_from(["planned", "in-progress", "finished"]),
)
deliveries = st.builds(Delivery, positions, st.sampled_from(["taken", "taken", *FAULTS]))
# Most requests arrive before anything else happens: there is more to press then.
orders = st.tuples(
    st.sampled_from([[], [Delivery(0, "taken")], [Delivery(0, "answer lost")]]),
    st.lists(
        st.one_of(presses, presses, presses, deliveries, deliveries, st.builds(Repeat, positions)),
        min_size=LENGTH,
        max_size=LENGTH,
    ),
)


class Story:
    """One request from its check page on; `screens` are what each person has open, newest last."""

    def __init__(self, network: Loopback, use_case: UseCase) -> None:
        self.network, self.use_case = network, use_case
        own = HealthcareService.objects.get(service_id=OWN_SERVICE_ID)
        self.hub = make_hub(accepted_use_cases=[each.value for each in UseCase])
        author = make_acting(organisation=own.provider)
        others = [make_acting(organisation=each.provider) for each in (own, self.hub, self.hub)]
        self.clients: list[Client] = [client_of(each) for each in (author, *others)]
        self.screens: list[list[Screen]] = [[], [], [], []]
        now = datetime.now(UTC)
        draft = RequestDraft.objects.create(
            user=author.user,
            organisation=own.provider,
            service=self.hub,
            use_case=self.use_case.value,
            typed={slug: {**typed, DONE: "1"} for slug, typed in minimal(self.use_case).items()},
            created_at=now,
            updated_at=now,
        )
        self.network.before, self.network.after = [], []
        check = look(self.clients[0], reverse("referrals:request-check", args=[draft.pk]))
        (self.first,) = check.forms
        self.press_twice(0, self.first)

    def happens(self, event: Event) -> None:
        match event:
            case Press():
                self.presses(event)
            case Delivery():
                self.goes_out(event)
            case Repeat():
                self.comes_again(event)
        self.every_page_tells_a_history_that_the_tables_allow()
        self.one_case_a_side_and_nothing_told_twice()

    def presses(self, event: Press) -> None:
        case, person = self.of(event.person), event.person
        if case is None:
            return
        self.show(person, look(self.clients[person], page_of(case)))
        screen = self.screens[person][0 if event.old else -1]
        offered: list[Form | str] = [*screen.forms, *screen.links]
        following = offered[event.choice % len(offered)] if offered else None
        for _ in range(MOST_HOPS):
            if following is None:
                return
            shown = self.follow(event, following)
            self.show(person, shown)
            following = self.following(shown)

    def follow(self, event: Press, chosen: Form | str) -> Screen:
        if isinstance(chosen, str):
            return look(self.clients[event.person], chosen)
        form = filled(chosen, status=event.status)
        return (self.press_twice if event.twice else self.press)(event.person, form)

    def following(self, screen: Screen) -> Form | str | None:
        """The form that a button led to; None on the pages of the case, where the way ends."""
        if screen.history or screen.address.startswith("/referrals/requests/sent/"):
            return None
        leading: list[Form | str] = [*screen.links[-1:], *screen.forms]
        return next(iter(leading), None)

    def press(self, person: int, pressed: Form) -> Screen:
        """One press is one step of the case and one message, or none."""
        messages, steps = self.messages().count(), self.steps()
        shown = read(send(self.clients[person], pressed), pressed[0])
        assert self.messages().count() <= messages + 1
        assert self.steps() <= steps + 1
        return shown

    def press_twice(self, person: int, pressed: Form) -> Screen:
        shown = self.press(person, pressed)
        messages, steps = self.messages().count(), self.steps()
        read(send(self.clients[person], pressed), pressed[0])
        assert (self.messages().count(), self.steps()) == (messages, steps), "a second press does nothing"
        return shown

    def goes_out(self, event: Delivery) -> None:
        waiting = self.waiting()
        if waiting:
            message, network = waiting[event.position % len(waiting)], self.network
            before, after = FAULTS[event.fault]
            network.now = datetime.now(UTC)
            network.before, network.after = [before] if before else [], [after] if after else []
            deliver(message.pk, client=network.client, clock=lambda: datetime.now(UTC))
            network.before, network.after = [], []

    def comes_again(self, event: Repeat) -> None:
        before = self.messages().count(), self.steps()
        send(self.clients[0], self.first)
        done = list(self.messages().filter(state=DeliveryState.ACCEPTED))
        if done:
            message = done[event.position % len(done)]
            raw = {name: str(value) for name, value in message.headers.items()}
            raw |= {"X-Request-ID": str(message.request_id), "X-Correlation-ID": str(message.correlation_id)}
            body = bytes(message.body)
            assert receive(Arrival(body, raw, decode_headers(raw), "proxy", datetime.now(UTC))).status == 409
        assert (self.messages().count(), self.steps()) == before

    def every_page_tells_a_history_that_the_tables_allow(self) -> None:
        for case in self.cases():
            status: CaseStatus | None = None
            changes = list(changes_of(case))
            for change in changes:
                assert change.from_status == (status.value if status else "")
                kind = Category(case.category), Direction(case.direction)
                status = next_status(*kind, status, CaseEvent(change.event))
                assert change.to_status == status
            assert case.status == status
            assert all(a.at <= b.at for a, b in pairwise(changes))
            watcher = self.clients[1 if case.direction == Direction.SENT else 3]
            told = [EVENTS.get(change.event, change.event) for change in changes]
            assert look(watcher, page_of(case)).history == told

    def one_case_a_side_and_nothing_told_twice(self) -> None:
        sides = [case.direction for case in self.cases()]
        assert len(sides) == len(set(sides))
        for case in self.cases():
            told = [each.bundle_id for each in replies_of(case)]
            assert len(told) == len(set(told))

    def ends(self) -> None:
        """The journey can be read on both sides, whatever happened."""
        for case in self.cases():
            watcher = self.clients[1 if case.direction == Direction.SENT else 3]
            assert watcher.get(reverse("referrals:journey", args=[case.journey_id])).status_code == 200

    def show(self, person: int, screen: Screen) -> None:
        self.screens[person] = [*self.screens[person], screen][-3:]

    def cases(self) -> Iterator[Case]:
        for model in (Referral, ValidationCase):
            yield from model.objects.filter(service=self.hub).order_by("created_at")

    def of(self, person: int) -> Case | None:
        side = Direction.SENT if person in SENDERS else Direction.RECEIVED
        return next((case for case in self.cases() if case.direction == side), None)

    def messages(self) -> QuerySet[OutboundMessage]:
        """Of this conversation, oldest first."""
        sent = self.of(0)
        every = OutboundMessage.objects.order_by("created_at")
        return every.filter(correlation_id=sent.correlation_id) if sent else every.none()

    def waiting(self) -> list[OutboundMessage]:
        return [each for each in self.messages() if each.state == DeliveryState.QUEUED]

    def steps(self) -> int:
        return sum(changes_of(case).count() for case in self.cases())


def page_of(case: Case) -> str:
    name = "sent-case" if case.direction == Direction.SENT else "received"
    return reverse(f"referrals:{name}", args=[case.pk])


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test delivers the messages itself: no view waits for an answer."""
    for view in ("answering.wait_for_answer", "working.wait_for_answer"):
        monkeypatch.setattr(f"referrals.views.{view}", lambda answer: None)
    for view in ("sent.wait_for_case", "request_sending.wait_for_case"):
        monkeypatch.setattr(f"referrals.views.{view}", lambda case: None)


@pytest.mark.parametrize("use_case", STORIES.values(), ids=list(STORIES))
@given(order=orders)
@quickly(
    max_examples=2,
    deadline=None,
    # An event is several pages: shrinking would take minutes, and the order is told anyway.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_any_order_of_presses_is_safe(
    network: Loopback, unhurried: None, use_case: UseCase, order: tuple[list[Event], list[Event]]
) -> None:
    if not HealthcareService.objects.filter(service_id=OWN_SERVICE_ID).exists():
        make_hub(service_id=OWN_SERVICE_ID, provider=make_acting().organisation, accepted_use_cases=[])
    story = Story(network, use_case)
    for event in (*order[0], *order[1]):
        story.happens(event)
    story.ends()
