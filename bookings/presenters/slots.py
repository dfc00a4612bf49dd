"""Offered times, and the choice being made."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from math import inf
from typing import Any

from bars_portal.accounts.acting import name_of
from bars_portal.nhsuk import dates
from bars_portal.nhsuk.dates import SlotChoice, SlotDay, by_day
from bars_portal.nhsuk.words import summary_rows
from bars_portal.patients.models import Journey
from bookings import ports
from bookings.mapping.offers import Lack, OfferedSlot, read_offers
from bookings.models import Booking, BookingDraft
from bookings.ports import TimeFrame
from bookings.slots import DAYS_SHOWN, FURTHEST, SlotProblem, SlotSearch
from directory.capability import accepts_booking, use_cases_in_words
from directory.models import HealthcareService, ServiceCapability

Row = dict[str, str]


@dataclass(frozen=True)
class FirstTime:
    """A service beside others: its first free time in words, or why there is none to show."""

    service_id: str
    name: str
    time: str
    obstacle: str


def first_times(searches: Iterable[tuple[HealthcareService, SlotSearch]]) -> list[FirstTime]:
    """Those with free times first, by time; then the others by name."""
    found = sorted(searches, key=lambda each: (not each[1].offers, each[0].name))
    found.sort(key=lambda each: each[1].offers[0].start.timestamp() if each[1].offers else inf)
    return [
        FirstTime(
            service.service_id,
            service.name,
            dates.format_datetime(search.offers[0].start) if search.offers else "",
            search.problem.sentence if search.problem else "",
        )
        for service, search in found
    ]


@dataclass(frozen=True)
class SlotPage:
    """The days from `first` on."""

    search: SlotSearch
    first: date
    today: date

    @property
    def days(self) -> tuple[SlotDay, ...]:
        """What all times have in common is said once, above them, not on every button."""
        return by_day(
            SlotChoice(
                f"{each.id}|{each.start.isoformat()}",
                each.start,
                "" if self.common_details else offer_details(each),
            )
            for each in self.search.offers
        )

    @cached_property
    def common_details(self) -> str:
        """ "In person, Dr Priya Anand" when that is so for every time; "" when they differ."""
        kinds = {offer_details(each) for each in self.search.offers}
        return kinds.pop() if len(kinds) == 1 else ""

    @property
    def not_shown(self) -> list[str]:
        """What else the service has or may have, and why it is not here: a sentence for each reason."""
        return [f"{_times(each.count)} {_LACKS[each.lack]}" for each in self.search.not_shown]

    @property
    def without_details(self) -> str:
        count = self.search.without_details
        all_of_them = count == len(self.search.offers)
        which = "all of these times" if all_of_them else f"{count} of these times"
        return f"For {which} the service left out who they are with or where." if count else ""

    @property
    def last(self) -> date:
        return self.first + timedelta(days=DAYS_SHOWN - 1)

    @property
    def problem(self) -> SlotProblem | None:
        return self.search.problem

    @property
    def earlier(self) -> str:
        """`from` of the page before; "" on the first one."""
        return (
            max(self.today, self.first - timedelta(days=DAYS_SHOWN)).isoformat()
            if self.first > self.today
            else ""
        )

    @property
    def later(self) -> str:
        following = self.first + timedelta(days=DAYS_SHOWN)
        return following.isoformat() if following <= self.today + FURTHEST else ""


# Said of "3 times".
_LACKS = {
    Lack.FORM: "in a form that cannot be read",
    Lack.STATUS: "of which the service did not say whether they are free",
    Lack.ID: "without the id that a booking needs",
    Lack.TIMES: "of which the service did not say when they start or end",
    Lack.OFFSET: "without a time zone or unreadable, so it is not sure when they are",
    Lack.ORDER: "that end before they start",
    Lack.TWICE: "of which the service says two different things",
    Lack.NOT_SENT: "that the service has but did not send",
}


def _times(count: int | None) -> str:
    return "Some times" if count is None else "1 time" if count == 1 else f"{count} times"


def offer_details(offer: OfferedSlot) -> str:
    """Only what the receiver gave: "Telephone, Dr Priya Anand"."""
    return ", ".join(part for part in (offer.delivery_channel, offer.practitioner_name) if part)


def use_case_options(
    service: HealthcareService, capability: ServiceCapability | None
) -> list[tuple[str, str]]:
    """What both the directory and the service itself say that it is booked for."""
    codes = (each for each in service.accepted_use_cases if accepts_booking(capability, each))
    return [(code, use_case_text(code)) for code in codes]


def usual_route(codes: Sequence[str], journey: Journey | None, service: HealthcareService) -> str:
    """Of those that the service takes: the case's own where it was referred there, else the first."""
    own = ports.route.provider(journey, service) if journey is not None else ""
    return own if own in codes else next(iter(codes), "")


def use_case_text(code: str) -> str:
    return next(iter(use_cases_in_words([code])), "") if code else ""


def offered_in(resources: Iterable[tuple[str, Any]]) -> OfferedSlot | None:
    """The offer again from the resources kept with a draft or booking, whatever became of its Slot."""
    entries = [
        {"fullUrl": url, "resource": resource | ({"status": "free"} if _is_slot(resource) else {})}
        for url, resource in resources
    ]
    return next(iter(read_offers({"entry": entries})), None)


def _is_slot(resource: dict[str, Any]) -> bool:
    return resource.get("resourceType") == "Slot"


def appointment_rows(appointment: BookingDraft | Booking) -> list[Row]:
    """The service and time in words; what was not given is not shown."""
    if isinstance(appointment, Booking):
        resources, reason = appointment.included, appointment.cancel_reason
    else:
        resources, reason = appointment.slot_resources, ""
    offer = offered_in(resources)
    service = appointment.service
    return summary_rows(
        [
            ("Service", service.name),
            ("Address", ", ".join([*service.address_lines, service.postcode])),
            ("Date", dates.format_day(appointment.start)),
            ("Time", f"{dates.format_time(appointment.start)} to {dates.format_time(appointment.end)}"),
            ("How", offer.delivery_channel if offer else ""),
            ("With", with_whom(offer) if offer else ""),
            ("Place", offer.location_name if offer else ""),
            ("Booking route", use_case_text(appointment.use_case)),
            ("Outside the time frame", approval_words(appointment)),
            ("Reason for cancelling", reason),
        ]
    )


def lateness(appointment: BookingDraft | Booking, frame: TimeFrame | None) -> str:
    """That it is after the time by which the patient is to be seen; "" when it is not, or none is stated."""
    if frame is None or frame.end is None or appointment.start <= frame.end:
        return ""
    seen_by, booked = dates.format_datetime(frame.end), dates.format_datetime(appointment.start)
    return f"The patient should be seen by {seen_by}. This appointment is on {booked}."


def approval_words(approved: BookingDraft | Booking) -> str:
    """ "" when nobody had to approve anything."""
    by = approved.approved_by
    return f"Approved by {name_of(by)}: {approved.approval_reason}" if by is not None else ""


def with_whom(offer: OfferedSlot) -> str:
    return ", ".join(part for part in (offer.practitioner_name, offer.role, offer.gender) if part)
