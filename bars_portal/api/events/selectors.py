"""Reading on: an organisation's events after a cursor, of what a reader may see; bounded in time and size."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import F, Func, TextField
from django.db.models.functions import Cast

from bars_portal.accounts.models import Organisation
from bars_portal.api.models import Event, EventStream

MOST_A_PAGE = 1000
# Whoever sees little of much is not answered after a look at all of it: so many are looked at for one page.
LOOKED_AT = 20_000


class CursorGone(Exception):
    """Events after this cursor are no longer all there: to go on would leave a gap without a word."""


@dataclass(frozen=True)
class Sight:
    """What a reader may see or wants to: permissions, services and types; None: all of them."""

    permissions: frozenset[str]
    service_ids: Collection[str] | None = None
    types: Collection[str] | None = None

    def lookup(self) -> dict[str, object]:
        """For filter()."""
        found: dict[str, object] = {"needs__in": sorted(self.permissions)}
        if self.service_ids is not None:
            found["service_id__in"] = sorted(self.service_ids)
        if self.types is not None:
            found["type__in"] = sorted(self.types)
        return found


class EventRow(NamedTuple):
    """What is told of an event, as it is told.

    Written by the database: to read a thousand times and ids, and write them again, takes longer than all the
    rest. `at` is RFC 3339 in UTC, to the millisecond.
    """

    event: str
    cursor: str
    at: str
    type: str
    subject: str
    direction: str
    status: str
    service: str
    journey: str


class _Instant(Func):
    template = """to_char(timezone('UTC', %(expressions)s), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
    output_field = TextField()


# In the order of EventRow.
_TOLD = (
    *(Cast("uid", TextField()), Cast("position", TextField()), _Instant("at"), F("type")),
    *(Cast("subject_id", TextField()), F("direction"), F("status"), F("service_id")),
    Cast("journey_id", TextField()),
)


@dataclass(frozen=True)
class EventPage:
    """Oldest first; `cursor`: where to go on, also when nothing was found; `has_more`: whether to at once."""

    events: list[EventRow]
    cursor: int
    has_more: bool


def stream_of(organisation: Organisation) -> EventStream:
    """How far its events go; of one to which nothing ever happened too."""
    found = EventStream.objects.filter(pk=organisation.pk).first()
    return found or EventStream(organisation=organisation)


def events_after(
    organisation: Organisation, *, after: int | None, sight: Sight, limit: int = MOST_A_PAGE
) -> EventPage:
    """`after` None: from the oldest that is kept. Raises CursorGone."""
    stream = stream_of(organisation)
    begin = stream.forgotten if after is None else after
    if begin < stream.forgotten:
        raise CursorGone
    end = min(stream.last, begin + LOOKED_AT)
    within = Event.objects.filter(organisation=organisation, position__gt=begin, position__lte=end)
    rows = within.filter(**sight.lookup()).order_by("position").values_list(*_TOLD)
    found = [EventRow._make(row) for row in rows[:limit]]
    last = int(found[-1].cursor) if len(found) == limit else None
    # A cursor from the future stays what it is: what comes until then is not told twice.
    cursor = max(begin, end) if last is None else last
    return EventPage(found, cursor, cursor < stream.last)
