"""Slots by the million for `bench_slots`: two tables of one shape, one of which is the product's at a time.

`small` holds the slots of the services that are asked, and nothing else; `big` holds the same and, among
them as they would be made day by day, those of a thousand other services.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from directory.models import HealthcareService

DAYS, A_DAY = 21, 48
# 9 services with one diary of 21 days, one with 20 diaries of a day: 10,032 slots; and 990 other services.
PLAIN_SERVICES, DIARIES_OF_THE_BUSY, OTHERS = 9, 20, 990
FIRST_DAY = "2030-03-20"

# Every diary has 48 slots a day of 08:00 to 20:00 London time; the clocks change on the way.
_FILL = """
INSERT INTO {table} (id, schedule_id, service_id, start, "end", status, updated_at)
SELECT md5(diary.id::text || beginning)::uuid, diary.id, diary.service_id, beginning,
    beginning + interval '15 minutes', 'free', now()
FROM bookings_schedule AS diary
CROSS JOIN generate_series(0, {days} - 1) AS day
CROSS JOIN LATERAL (
    SELECT ({first}::date + day + time '08:00' + number * interval '15 minutes')
        AT TIME ZONE 'Europe/London' AS beginning
    FROM generate_series(0, {a_day} - 1) AS number
) AS slot
WHERE diary.name = ANY({names}) AND (diary.name <> 'busy' OR day = 0)
ORDER BY day, diary.id, beginning
"""


@dataclass(frozen=True)
class Asked:
    """The services that are searched: those with one diary, and the one with many."""

    plain: list[HealthcareService]
    busy: HealthcareService


def make_services() -> Asked:
    """With their diaries, each complete: practitioner, role, channel and place."""
    from tests.factories.accounts import make_organisation
    from tests.factories.directory import make_service

    provider = make_organisation()
    asked = Asked(
        [make_service(provider=provider, postcode="LS1 4AP") for _ in range(PLAIN_SERVICES)],
        make_service(provider=provider, postcode="LS1 4AP"),
    )
    _make_diaries(asked.plain, "plain")
    _make_diaries([asked.busy] * DIARIES_OF_THE_BUSY, "busy")
    _make_diaries([make_service(provider=provider) for _ in range(OTHERS)], "other")
    return asked


def _make_diaries(services: list[HealthcareService], name: str) -> None:
    from bookings.models import Schedule

    Schedule.objects.bulk_create(
        Schedule(
            id=uuid4(),
            service=service,
            name=name,
            delivery_channel="In-person",
            practitioner_prefix="Dr",
            practitioner_given="Priya",
            practitioner_family=f"Anand {number}",
            practitioner_gender="female",
            practitioner_role_code="doctor",
            practitioner_role="Doctor",
            location_name=f"Room {number}",
        )
        for number, service in enumerate(services)
    )


class SlotTables:
    """Which of the tables is `bookings_slot` now: changing that is a rename, so all else stays equal."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._current = "slots_empty"
        self.sizes = {
            "small": self._fill("small", ["plain", "busy"]),
            "big": self._fill("big", ["plain", "busy", "other"]),
        }
        connection.execute("ANALYZE")

    def use(self, name: str) -> None:
        if name == self._current:
            return
        with self._connection.transaction():
            self._rename("bookings_slot", self._current)
            self._rename(name, "bookings_slot")
        self._current = name

    def _fill(self, name: str, diaries: list[str]) -> int:
        table = sql.Identifier(name)
        self._connection.execute(sql.SQL("CREATE TABLE {} (LIKE bookings_slot INCLUDING ALL)").format(table))
        made = self._connection.execute(
            sql.SQL(_FILL).format(
                table=table, days=DAYS, a_day=A_DAY, first=sql.Literal(FIRST_DAY), names=sql.Literal(diaries)
            )
        )
        self._connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(table))
        return made.rowcount

    def _rename(self, old: str, new: str) -> None:
        self._connection.execute(
            sql.SQL("ALTER TABLE {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new))
        )
