"""What happened, for applications that follow it: told with the change itself, numbered, read on, forgotten.

Each app registers its kinds of things, and how their steps are called outside.

An id is given when a row is written and seen when its transaction has ended: who reads by id and goes on from
the last one misses whatever commits late. So a place comes later than the commit. Whoever numbers holds a
lock until its own work is seen, and the next one looks only then; places become visible in their order.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from django.db.models import F, Func, Model, TextField
from django.db.models.functions import Cast

from bars_portal.accounts.models import Organisation
from bars_portal.api.models import Event, EventStream, WebhookDelivery

Json = dict[str, Any]
KEPT_FOR = timedelta(days=90)
# Of one transaction.
_NUMBERED_AT_ONCE, _FORGOTTEN_AT_ONCE = 5000, 2000
MOST_A_PAGE = 1000
# Whoever sees little of much is not answered after a look at all of it: so many are looked at for one page.
LOOKED_AT = 20_000
# For pg_advisory_xact_lock: one at a time.
_LOCK = 6_115_283_902

# Of one organisation what was written first comes first; the stream's row counts on, whatever was forgotten.
_NUMBER = """
WITH fresh AS (
    SELECT id, organisation_id, row_number() OVER (PARTITION BY organisation_id ORDER BY id) AS place
    FROM (
        SELECT id, organisation_id FROM api_event WHERE position IS NULL ORDER BY id LIMIT %s
    ) AS waiting
), counted AS (
    INSERT INTO api_eventstream (organisation_id, last, forgotten)
    SELECT organisation_id, count(*), 0 FROM fresh GROUP BY organisation_id
    ON CONFLICT (organisation_id) DO UPDATE SET last = api_eventstream.last + excluded.last
    RETURNING organisation_id, last
), sizes AS (
    SELECT organisation_id, count(*) AS size FROM fresh GROUP BY organisation_id
)
UPDATE api_event SET position = counted.last - sizes.size + fresh.place
FROM fresh JOIN counted USING (organisation_id) JOIN sizes USING (organisation_id)
WHERE api_event.id = fresh.id
"""


@dataclass(frozen=True)
class Kind:
    """One kind of subject. `label`: of its model (app.model, lower case); `needs`: permission by direction.

    The type of an event is `name.status`, or `name.word` for a step of `words` (event of the history: word).
    """

    name: str
    label: str
    needs: Mapping[str, str]
    statuses: tuple[str, ...]
    words: Mapping[str, str] = field(default_factory=dict)

    def type_of(self, step: str, status: str) -> str:
        return f"{self.name}.{self.words.get(step, status)}"

    @property
    def types(self) -> Iterator[str]:
        yield from (f"{self.name}.{each}" for each in dict.fromkeys([*self.statuses, *self.words.values()]))


_kinds: dict[str, Kind] = {}


def register(*kinds: Kind) -> None:
    """Raises ImproperlyConfigured when another kind has its name or its model."""
    for kind in kinds:
        held = [each for each in _kinds.values() if kind.name == each.name or kind.label == each.label]
        if any(each != kind for each in held):
            raise ImproperlyConfigured(f"Two kinds of events for {kind.name} or {kind.label}.")
        _kinds[kind.label] = kind


def all_types() -> list[str]:
    """Of every event that there can be, sorted: what a subscription may filter by."""
    return sorted(each for kind in _kinds.values() for each in kind.types)


def event_of(row: Model, *, step: str, status: str, direction: str, service_id: str, now: datetime) -> Event:
    """The event, not yet written: it is written with the change that it tells of, in one transaction.

    Raises LookupError for a row of no kind: nothing changes without being told.
    """
    kind = _kinds[row._meta.label_lower]
    return Event(
        organisation_id=row.organisation_id,  # type: ignore[attr-defined]  # subjects have one
        at=now,
        type=kind.type_of(step, status),
        subject_id=row.pk,
        direction=direction,
        status=status,
        service_id=service_id,
        journey_id=row.journey_id,  # type: ignore[attr-defined]  # the same
        needs=kind.needs[direction],
    )


def number_events(*, batch: int = _NUMBERED_AT_ONCE) -> int:
    """Number all that is committed; how many that were. 0 as well when somebody else is at it."""
    numbered = 0
    while True:
        done = _number_batch(batch)
        numbered += done
        if done < batch:
            return numbered


@transaction.atomic
def _number_batch(batch: int) -> int:
    with connection.cursor() as cursor:
        # A statement of its own: the next one then sees all that the last holder of the lock did.
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        (is_ours,) = cursor.fetchone()
        if not is_ours:
            return 0
        cursor.execute(_NUMBER, [batch])
        return int(cursor.rowcount)


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


def shown(row: EventRow, *, ods_code: str) -> Json:
    """As the body of a webhook is by Standard Webhooks: type, timestamp, data."""
    return {
        "type": row.type,
        "timestamp": row.at,
        "data": {
            "event": row.event,
            "cursor": row.cursor,
            "kind": row.type.partition(".")[0],
            "id": row.subject,
            "direction": row.direction,
            "status": row.status,
            "organisation": ods_code,
            "service": row.service,
            "journey": row.journey,
        },
    }


def row_of(event: Event) -> EventRow:
    """What the database would write of it."""
    return EventRow(
        event=str(event.uid),
        cursor=str(event.position),
        at=instant(event.at),
        type=event.type,
        subject=str(event.subject_id),
        direction=event.direction,
        status=event.status,
        service=event.service_id,
        journey=str(event.journey_id),
    )


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def forget_events(*, now: datetime, batch: int = _FORGOTTEN_AT_ONCE) -> int:
    """Each organisation's oldest, in their order, so that what is left has no gap; how many."""
    gone = 0
    for organisation_id in EventStream.objects.values_list("pk", flat=True):
        while done := _forget_oldest(organisation_id, now - KEPT_FOR, batch):
            gone += done
    return gone


@transaction.atomic
def _forget_oldest(organisation_id: int, until: datetime, batch: int) -> int:
    """Readers are told by `forgotten`, which commits with it."""
    stream = EventStream.objects.select_for_update().get(pk=organisation_id)
    left = Event.objects.filter(organisation_id=organisation_id, position__gt=stream.forgotten)
    oldest = left.order_by("position").values_list("pk", "position", "at")[:batch]
    over = list(takewhile(lambda row: row[2] <= until, oldest))
    if not over:
        return 0
    events = Event.objects.filter(pk__in=[pk for pk, _, _ in over])
    # What of it still waits is for a webhook that has been off for as long.
    WebhookDelivery.objects.filter(event__in=events).delete()
    events._raw_delete(events.db)
    EventStream.objects.filter(pk=organisation_id).update(forgotten=over[-1][1])
    return len(over)
