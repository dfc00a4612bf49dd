"""Choosing a time that a search showed: the service is asked again, for it may be taken or moved by now."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bars_portal.exchange.transport.client import BarsClient
from bars_portal.nhsuk.dates import in_london, london_midnight
from bookings.slots import FURTHEST, OfferedSlot, SlotProblem, SlotSearch, search_slots
from directory.models import HealthcareService
from directory.remote import SenderIdentity

GONE = "That time is no longer free. Choose another time."
UNSURE = "It is not known whether that time is still free: the service did not say so. Try again."


@dataclass(frozen=True)
class NotOffered:
    """`is_gone`: the service said so; else it did not say. `problem`: why it did not."""

    is_gone: bool
    problem: SlotProblem | None = None

    @property
    def sentence(self) -> str:
        return GONE if self.is_gone else UNSURE


def still_offered(
    client: BarsClient,
    *,
    service: HealthcareService,
    slot_id: str,
    start: datetime,
    sender: SenderIdentity,
    now: datetime,
) -> OfferedSlot | NotOffered:
    """The search is repeated for the day of `start` (aware). Call it outside any transaction."""
    day, today = in_london(start).date(), in_london(now).date()
    if not today <= day <= today + FURTHEST:
        return NotOffered(is_gone=True)
    first, last = days_from(day, days=1)
    search = search_slots(client, service=service, start=max(first, now), end=last, sender=sender, now=now)
    return search.offer(slot_id, start) or NotOffered(_says_all(search), search.problem)


def days_from(first: date, *, days: int) -> tuple[datetime, datetime]:
    """The first and the last moment of whole London days; a time at midnight is the next day's."""
    return london_midnight(first), london_midnight(first + timedelta(days=days)) - timedelta(seconds=1)


def _says_all(search: SlotSearch) -> bool:
    return search.problem in (None, SlotProblem.NONE_IN_RANGE) and not search.not_shown
