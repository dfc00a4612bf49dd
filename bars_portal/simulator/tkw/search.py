"""Reads the query of GET /Slot: the seeds' spelling and the standard's alike.

Seeds: `start=ge...&end=le...`, hour-only offsets, no _include. Standard (section 7): `start` twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bars_portal.simulator.tkw.outcomes import ReceiverError, Rejected

LONDON = ZoneInfo("Europe/London")
USUAL_RANGE = timedelta(days=7)
PREFIXES = frozenset({"", "eq", "ge", "gt", "le", "lt"})
STATUSES = frozenset({"free", "busy"})
SERVICE_PARAMETER = "Schedule.actor:HealthcareService"


@dataclass(frozen=True)
class SlotSearch:
    """What is searched for; times are aware, in London time, both ends included."""

    service_id: str
    statuses: frozenset[str]
    start: datetime
    end: datetime


def read_slot_search(parameters: Sequence[tuple[str, str]], *, target: str, now: datetime) -> SlotSearch:
    """The search; `target` is searched where no service is named. Raises Rejected."""
    starts = [_bound(value) for name, value in parameters if name == "start"]
    ends = [_bound(value) for name, value in parameters if name == "end"]
    lower = [at for prefix, at in starts if prefix in {"ge", "gt", "eq", ""}]
    upper = [at for prefix, at in starts + ends if prefix in {"le", "lt"}]
    start = max(lower, default=now.astimezone(LONDON))
    named = [value for name, value in parameters if name == SERVICE_PARAMETER]
    return SlotSearch(
        service_id=named[-1].rpartition("|")[2] if named else target,
        statuses=_statuses(parameters),
        start=start,
        end=min(upper, default=_later(start)),
    )


def _statuses(parameters: Sequence[tuple[str, str]]) -> frozenset[str]:
    asked = {part for name, value in parameters if name == "status" for part in value.split(",")} or {"free"}
    if not asked <= STATUSES:
        raise Rejected(ReceiverError.BAD_VALUE)
    return frozenset(asked)


def _bound(value: str) -> tuple[str, datetime]:
    prefix, text = (value[:2], value[2:]) if value[:2].isalpha() else ("", value)
    if prefix not in PREFIXES:
        raise Rejected(ReceiverError.BAD_VALUE)
    try:
        # A plus sign that was not percent-encoded arrives as a blank.
        at = datetime.fromisoformat(text.replace(" ", "+"))
        if at.tzinfo is None:
            raise Rejected(ReceiverError.BAD_VALUE)
        return prefix, at.astimezone(LONDON)
    except (ValueError, OverflowError) as problem:
        raise Rejected(ReceiverError.BAD_VALUE) from problem


def _later(start: datetime) -> datetime:
    try:
        return start + USUAL_RANGE
    except OverflowError:
        return start
