"""Slots as the receiver offers them: one statement finds them and writes them as JSON (docs/adr/0011)."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import connection

from bookings.paired_ids import paired_id_sql
from bookings.rows import DiaryRow, OfferedSlots


def offered_slots(
    service_id: UUID,
    *,
    statuses: Collection[str],
    start: datetime,
    end: datetime,
    template: str,
    template_with_channel: str,
) -> OfferedSlots:
    """In order of time; both bounds are of the slot's start, and included. Served by index `slot_search`.

    The templates are for SQL's `format()`, with the places of `SlotTexts` in `bookings.mapping`.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _OFFERED,
            {
                "service": service_id,
                "statuses": [str(each) for each in statuses],
                "start": start,
                "end": end,
                "plain": template,
                "with_channel": template_with_channel,
            },
        )
        total, entries, diaries = cursor.fetchone()
    return OfferedSlots(total, entries or "", [_diary(*fields) for fields in diaries or ()])


def _diary(ident: str, name: str, active: bool, *texts: str) -> DiaryRow:
    return DiaryRow(UUID(ident), name, active, *texts)


def _london(column: str) -> str:
    """As `format_london` does it. Since 1972 London has had two offsets."""
    local = f"{column} AT TIME ZONE 'Europe/London'"
    return (
        f"""to_char({local}, 'YYYY-MM-DD"T"HH24:MI:SS.MS') """
        f"|| CASE WHEN {local} = {column} AT TIME ZONE 'UTC' THEN '+00:00' ELSE '+01:00' END"
    )


# Only known statuses are searched for; a channel is escaped as JSON, since its column may hold any text.
_OFFERED = f"""
WITH found AS MATERIALIZED (
    SELECT id, schedule_id, status, start, "end", updated_at
    FROM bookings_slot
    WHERE service_id = %(service)s AND status = ANY(%(statuses)s) AND start BETWEEN %(start)s AND %(end)s
), diary AS MATERIALIZED (
    SELECT {", ".join(DiaryRow._fields)},
        {paired_id_sql("id")} AS paired_id,
        CASE delivery_channel WHEN '' THEN %(plain)s ELSE %(with_channel)s END AS template,
        substring(to_json(delivery_channel)::text from '^"(.*)"$') AS channel
    FROM bookings_schedule
    WHERE id IN (SELECT schedule_id FROM found)
)
SELECT
    (SELECT count(*) FROM found),
    (SELECT string_agg(format(
            diary.template,
            {paired_id_sql("found.id")}, found.id, {_london("found.updated_at")}, diary.paired_id,
            found.status, {_london("found.start")}, {_london('found."end"')}, diary.channel
        ), ',' ORDER BY found.start, found.schedule_id)
        FROM found JOIN diary ON diary.id = found.schedule_id),
    (SELECT json_agg(json_build_array({", ".join(DiaryRow._fields)}) ORDER BY name, id) FROM diary)
"""  # noqa: S608 - columns and expressions are ours, every value is a parameter
