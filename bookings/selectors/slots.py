"""Our own diaries and slots: as the receiver offers them, as people see their days, and the next free one."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db.models import DateTimeField, Exists, ExpressionWrapper, F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from bars_portal.accounts.acting import Acting
from bars_portal.audit.services import NOTED, ReadNote
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.access import Caller, in_the_way
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.nhsuk.dates import london_midnight
from bars_portal.sql import cursor
from bookings.models import Booking, DiaryBlock, Schedule, Slot, SlotStatus
from bookings.models.diary import DIARY_IN_USE, IN_TIME, DiaryRow, OfferedSlots, paired_id_sql
from bookings.states import BookingStatus
from directory.models import HealthcareService
from directory.selectors.services import SERVING, serving_of

_MINUTE = Value(timedelta(minutes=1))
# Slots in one row of the answer: libpq keeps a buffer as large as the largest row that ever came.
_IN_A_ROW = 500


def offered_slots(
    service_id: ServiceID,
    *,
    caller: Caller,
    note: ReadNote,
    statuses: Collection[str],
    start: datetime,
    end: datetime,
    template: str,
    template_with_channel: str,
) -> OfferedSlots | None:
    """In order of time; both bounds are of the slot's start, and included. Served by index `slot_search`.

    Nothing of a diary that is not in use, and as free only what is not over at the moment of `note`. None
    unless our receiver answers for the service and it is active; a caller who may not use it gets no
    slots, and then `note` is not written. The templates are for SQL's `format()`, with the places of
    `SlotTexts` in `bookings.mapping`.
    """
    # As PostgreSQL writes a list: psycopg takes longer over one than over all the other values.
    wanted = f"{{{','.join(statuses)}}}"
    at = (note.at, note.at)
    values = (service_id.value, *note, wanted, start, end, *at, template, template_with_channel)
    rows = _ask(caller, False, values)
    if not rows:
        return None
    serving = serving_of(rows[0][:-3])
    if serving.access_rules and not in_the_way(serving.access_rules, caller):
        # Only a service with rules is asked for twice: SQL does not judge them.
        rows = _ask(caller, True, values) or rows
        serving = serving_of(rows[0][:-3])
    diaries = rows[0][-3]
    return OfferedSlots(
        service=serving,
        total=sum(row[-2] for row in rows),
        entries=",".join(row[-1] for row in rows),
        diaries=[_diary(*fields) for fields in orjson.loads(diaries or "[]")],
    )


def _ask(caller: Caller, let_in: bool, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """`let_in`: whether the rules of the service let the caller in, where it has any."""
    with cursor() as asking:
        asking.execute(_OFFERED, (caller.ods_code, let_in, *values))
        found: list[tuple[Any, ...]] = asking.fetchall()
        return found


def _diary(ident: str, name: str, active: bool, *texts: str) -> DiaryRow:
    return DiaryRow(UUID(ident), name, active, *texts)


def _london(column: str) -> str:
    """As `format_london` does it. Since 1972 London has had two offsets."""
    local = f"{column} AT TIME ZONE 'Europe/London'"
    return (
        f"""to_char({local}, 'YYYY-MM-DD"T"HH24:MI:SS.US"0"') """
        f"|| CASE WHEN {local} = {column} AT TIME ZONE 'UTC' THEN '+00:00' ELSE '+01:00' END"
    )


# Only known statuses are searched for; a channel is escaped as JSON, since its column may hold any text. The
# first row has the diaries, and is there without slots too.
_OFFERED = f"""
WITH service AS MATERIALIZED ({SERVING}),
noted AS ({NOTED} FROM service WHERE permitted),
in_use AS MATERIALIZED (
    SELECT diary.id, diary.lead_minutes FROM bookings_schedule AS diary
    JOIN directory_healthcareservice AS place ON place.id = diary.service_id
    WHERE place.id = (SELECT id FROM service WHERE permitted) AND {DIARY_IN_USE}
), found AS MATERIALIZED (
    SELECT slot.id, schedule_id, status, start, "end", updated_at,
        row_number() OVER (ORDER BY start, schedule_id) - 1 AS place
    FROM bookings_slot AS slot JOIN in_use AS diary ON diary.id = slot.schedule_id
    WHERE service_id = (SELECT id FROM service WHERE permitted)
        AND status = ANY(%s::text[]) AND start BETWEEN %s AND %s
        AND (status <> 'free' OR ({IN_TIME}))
), diary AS MATERIALIZED (
    SELECT {", ".join(DiaryRow._fields)},
        {paired_id_sql("id")} AS paired_id,
        CASE delivery_channel WHEN '' THEN %s ELSE %s END AS template,
        substring(to_json(delivery_channel)::text from '^"(.*)"$') AS channel
    FROM bookings_schedule
    WHERE id IN (SELECT schedule_id FROM found)
), written AS (
    SELECT place / {_IN_A_ROW} AS number, count(*) AS total,
        string_agg(format(
            diary.template,
            {paired_id_sql("found.id")}, found.id, {_london("found.updated_at")}, diary.paired_id,
            found.status, {_london("found.start")}, {_london('found."end"')}, diary.channel
        ), ',' ORDER BY place) AS entries
    FROM found JOIN diary ON diary.id = found.schedule_id
    GROUP BY number
)
SELECT service.*,
    CASE WHEN coalesce(number, 0) = 0 THEN (
        SELECT json_agg(json_build_array({", ".join(DiaryRow._fields)}) ORDER BY name, id)::text FROM diary
    ) END,
    coalesce(total, 0), coalesce(entries, '')
FROM service LEFT JOIN written ON true
ORDER BY number
"""  # noqa: S608 - columns and expressions are ours, every value is a parameter


# -- as people of the service see them


@dataclass(frozen=True)
class DiaryEntry:
    """A slot, and the booking that has it (None: free, blocked, or not for this person to see)."""

    slot: Slot
    booking: Booking | None = None


def diary_services(acting: Acting) -> list[HealthcareService]:
    """Services of the acting organisation that have a diary here, by name."""
    if not acting.may("bookings.view_diary"):
        return []
    ours = HealthcareService.objects.filter(provider=acting.organisation, hosted=True)
    # Asked of each service, not of each of their diaries.
    has_diary = Exists(Schedule.objects.filter(service=OuterRef("pk")))
    return list(ours.filter(has_diary).order_by("name"))


def diaries_of(acting: Acting, service: HealthcareService) -> QuerySet[Schedule]:
    """Of one service of the acting organisation, by name; lanes of a clinic by their number."""
    ours = Schedule.objects.filter(service=service, service__provider=acting.organisation)
    return ours.order_by(*_by_name(), "pk") if acting.may("bookings.view_diary") else Schedule.objects.none()


def _by_name(diary: str = "") -> tuple[Coalesce, str, str]:
    """In which order people read diaries; `diary`: the way to them, "schedule__"."""
    return Coalesce(f"{diary}clinic__name", f"{diary}name"), f"{diary}lane", f"{diary}name"


def diary_of(
    acting: Acting,
    service: HealthcareService,
    day: date,
    *,
    days: int = 1,
    diaries: Collection[UUID] = (),
) -> list[DiaryEntry]:
    """Slots of some London days in order of time, of all diaries or of those named; empty for a service of
    somebody else. Two queries.
    """
    if service.provider_id != acting.organisation.pk or not acting.may("bookings.view_diary"):
        return []
    begin, end = london_midnight(day), london_midnight(day + timedelta(days=days))
    slots = Slot.objects.filter(service=service, start__gte=begin, start__lt=end)
    slots = slots.exclude(status=SlotStatus.WITHDRAWN)
    if diaries:
        slots = slots.filter(schedule__in=diaries)
    taken = _bookings_of(slots) if acting.may("bookings.view_received_bookings") else {}
    ordered = slots.select_related("schedule__service").order_by("start", "schedule__name")
    return [DiaryEntry(slot, taken.get(slot.pk)) for slot in ordered]


_COMES = (BookingStatus.BOOKED, BookingStatus.ATTENDED, BookingStatus.DID_NOT_ATTEND)


def _bookings_of(slots: QuerySet[Slot]) -> dict[UUID | None, Booking]:
    current = Booking.objects.filter(slot__in=slots, direction=Direction.RECEIVED, status__in=_COMES)
    return {booking.slot_id: booking for booking in current.select_related("patient", "service", "journey")}


def blocks_of(diaries: Collection[UUID], *, start: datetime, end: datetime) -> QuerySet[DiaryBlock]:
    """That stand and reach into the stretch."""
    standing = DiaryBlock.objects.filter(schedule__in=diaries, ended_at=None, start__lt=end, end__gt=start)
    return standing.select_related("schedule").order_by("start", "schedule__name")


def slots_between(diaries: Collection[UUID], *, start: datetime, end: datetime) -> QuerySet[Slot]:
    """All that reach into the stretch and are not withdrawn."""
    slots = Slot.objects.filter(schedule__in=diaries, start__lt=end, end__gt=start)
    return slots.exclude(status=SlotStatus.WITHDRAWN)


def booked_between(diaries: Collection[UUID], *, start: datetime, end: datetime) -> QuerySet[Booking]:
    """Who comes in the stretch, by time."""
    booked = Booking.objects.filter(
        slot__schedule__in=diaries,
        slot__start__lt=end,
        slot__end__gt=start,
        direction=Direction.RECEIVED,
        status=BookingStatus.BOOKED,
    )
    return booked.select_related("patient", "service", "slot__schedule").order_by("start")


def free_slots_of(service: HealthcareService, day: date, *, now: datetime) -> QuerySet[Slot]:
    """Where a booking could be moved to on one London day, by time and diary."""
    begin, end = london_midnight(day), london_midnight(day + timedelta(days=1))
    free = Slot.objects.filter(
        service=service,
        status=SlotStatus.FREE,
        start__gte=begin,
        start__lt=end,
        end__gt=now,
        schedule__active=True,
    )
    return free.select_related("schedule").order_by("start", *_by_name("schedule__"))


def next_free_slots(now: datetime) -> Mapping[UUID, datetime]:
    """Start of the first free slot after now, by service; one look into the slots' index a service."""
    free = free_from(now).filter(service=OuterRef("pk"))
    hosted = HealthcareService.objects.filter(hosted=True, active=True, takes_bookings=True)
    found = hosted.annotate(next_free=Subquery(free.order_by("start").values("start")[:1]))
    return dict(found.filter(next_free__isnull=False).order_by().values_list("pk", "next_free"))


def free_from(now: datetime) -> QuerySet[Slot]:
    """Free slots that start from now on and can still be booked; whether the service is open is not asked."""
    lead = ExpressionWrapper(F("schedule__lead_minutes") * _MINUTE + now, DateTimeField())
    free = Slot.objects.filter(schedule__active=True, status=SlotStatus.FREE, start__gte=now)
    return free.filter(start__gte=lead)
