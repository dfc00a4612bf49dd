"""Offered times, and the choice being made."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from bars_portal.accounts.acting import name_of
from bars_portal.nhsuk import dates
from bars_portal.nhsuk.slots import SlotChoice, SlotDay, by_day
from bars_portal.nhsuk.words import summary_rows
from bookings.models import Booking, BookingDraft
from bookings.slots import DAYS_SHOWN, FURTHEST, OfferedSlot, SlotProblem, SlotSearch, read_offers
from directory.capability import accepts_booking, use_cases_in_words
from directory.models import HealthcareService, ServiceCapability

Row = dict[str, str]


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


def offer_details(offer: OfferedSlot) -> str:
    """Only what the receiver gave: "Telephone, Dr Priya Anand"."""
    return ", ".join(part for part in (offer.delivery_channel, offer.practitioner_name) if part)


def use_case_options(
    service: HealthcareService, capability: ServiceCapability | None
) -> list[tuple[str, str]]:
    """What both the directory and the service itself say that it is booked for."""
    codes = (each for each in service.accepted_use_cases if accepts_booking(capability, each))
    return [(code, use_case_text(code)) for code in codes]


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


def approval_words(approved: BookingDraft | Booking) -> str:
    """ "" when nobody had to approve anything."""
    by = approved.approved_by
    return f"Approved by {name_of(by)}: {approved.approval_reason}" if by is not None else ""


def with_whom(offer: OfferedSlot) -> str:
    return ", ".join(part for part in (offer.practitioner_name, offer.role, offer.gender) if part)
