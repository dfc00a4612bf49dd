"""What bookings ask of the rooms above: the requests that come before a booking, and that go with it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bars_portal.accounts.acting import Acting
from bars_portal.audit.actor import Actor
from bars_portal.exchange.transport.client import BarsClient
from bars_portal.patients.models import Journey
from bars_portal.ports import Port
from bookings.models import Booking
from directory.models import HealthcareService


@dataclass(frozen=True)
class TimeFrame:
    """ServiceRequest.occurrencePeriod of the assessment; either end may be open."""

    start: datetime | None
    end: datetime | None

    def holds(self, moment: datetime) -> bool:
        early = self.start is not None and moment < self.start
        return not early and (self.end is None or moment <= self.end)


@dataclass(frozen=True)
class Companion:
    """A request that goes with a received booking, in words, with its page; `live` when both still stand.

    `missed`: the time by which the patient is to be seen, where the appointment is after it.
    `is_open`: it is not over. `ended_by_absence`: it is, since its patient did not come.
    """

    words: str
    href: str
    live: bool
    missed: datetime | None = None
    is_open: bool = False
    ended_by_absence: bool = False


@dataclass(frozen=True)
class Companions:
    """`link_href`: where a person adds one by hand, "" for who may not."""

    found: list[Companion]
    link_href: str = ""


@dataclass(frozen=True)
class WholeMessage:
    """`template` shows `view`, which it knows as "message"."""

    template: str
    view: object


# The receiver's id of the request that stands in this journey at this service, for Appointment.basedOn
# (standard section 9, workflow 1): referred first, then booked.
basis = Port[Callable[[Journey, HealthcareService], str | None]](
    "what a booking rests on", unplugged=lambda journey, service: None
)
# By which use case that request was sent, for the booking that rests on it; "" for none.
route = Port[Callable[[Journey, HealthcareService], str]](
    "by which use case a case was referred", unplugged=lambda journey, service: ""
)
# What the newest standing request of the journey says; None when it says nothing.
time_frame = Port[Callable[[Journey], TimeFrame | None]](
    "in what time a case is to be seen", unplugged=lambda journey: None
)
companions = Port[Callable[[Booking, Acting], Companions]](
    "which requests go with a received booking", unplugged=lambda booking, acting: Companions([])
)
# The referrals that end, and whose requester is told of it, when the patient of this booking did not come.
ended_by_absence = Port[Callable[[Booking, Acting, datetime], list[Companion]]](
    "which referrals end when a patient did not come", unplugged=lambda booking, acting, now: []
)
# The same, done. In the transaction that records it at the booking. Raises PolicyRefused.
end_by_absence = Port[Callable[[Booking, Acting, datetime], list[Companion]]](
    "what is recorded at a referral whose patient did not come", unplugged=lambda booking, acting, now: []
)
# None when the message is not kept, or nobody can read it.
whole_message = Port[Callable[[Booking, datetime], WholeMessage | None]](
    "what the message of a received booking says", unplugged=lambda booking, now: None
)


class Renewal(Protocol):
    """The referral that goes with an appointment which is rebooked: taken back, and made anew (guide,
    Application 1: no new appointment rests on the referral of an old one).

    `obstacle`: why it cannot go anew with it, in words; "" when it can. `href` is its page.
    """

    @property
    def words(self) -> str: ...
    @property
    def href(self) -> str: ...
    @property
    def obstacle(self) -> str: ...

    def begin(self, *, reason: str, reassessed: str, acting: Acting, now: datetime) -> None:
        """In the transaction of the rebooking, first of all. Raises PolicyRefused."""


@dataclass(frozen=True)
class RenewalProgress:
    """How far that is, in words. `waits`: the new appointment is booked once the new referral is there.

    `is_stuck`: it does not come there by itself.
    """

    words: str
    href: str
    waits: bool
    is_stuck: bool


# What the rebooking of this booking, for a time at this service, does with its referral; None: it has none.
# One read over the wire, so outside any transaction.
renewal = Port[Callable[[Booking, HealthcareService, Acting, BarsClient, datetime], Renewal | None]](
    "what becomes of the referral of a booking that is rebooked", unplugged=lambda *known: None
)
# Of a booking that was rebooked with its referral; locks the plan in a transaction that asks so.
renewal_progress = Port[Callable[[Booking, bool], RenewalProgress | None]](
    "how far the referral of a rebooking is", unplugged=lambda booking, lock: None
)
# What follows when a booking that we sent was asked for, booked or cancelled; in the same transaction.
settled = Port[Callable[[Booking, Actor, datetime], None]](
    "what follows from a change of a booking", unplugged=lambda booking, actor, now: None
)


@dataclass(frozen=True)
class Owed:
    """The referral that is still to be sent for a booking: the page of that task, and where it is written."""

    task: str
    refer: str


owed = Port[Callable[[Booking, Acting], Owed | None]](
    "which referral is still to be sent for a booking", unplugged=lambda booking, acting: None
)
