"""GET /Slot, one day of one service with every include, among a million slots.

The product is the receiver's whole WSGI application in this process, from URL routing to the answer's bytes;
there is no socket on either side. The floor is its own SQL: every statement that it ran for the same request
(recorded on its connection: one, with service, slots and the committed audit event), sent as it was through
plain psycopg and fetched. The second bound is the product against itself, on a table of ten thousand slots.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import cycle
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import psycopg
from calling import InProcess
from pairs import compare, finish, say
from slot_tables import A_DAY, DIARIES_OF_THE_BUSY, FIRST_DAY, SlotTables, make_services
from stage import Json, Stage, prepare

if TYPE_CHECKING:
    from directory.models import HealthcareService

OWN_SQL_BOUND, GROWTH_BOUND = 1.8, 1.3
PAIRS, REPEATS = 11, 60
_MILLION, _TEN_THOUSAND = 1_000_000, 10_000
_INCLUDES = (
    "Slot:schedule",
    "Schedule:actor:Practitioner",
    "Schedule:actor:PractitionerRole",
    "Schedule:actor:HealthcareService",
    "HealthcareService:providedBy",
    "HealthcareService:location",
)
_KINDS = {"Schedule", "Practitioner", "PractitionerRole", "HealthcareService", "Organization", "Location"}
_SLOTS = """
SELECT id::text, start, "end" FROM bookings_slot
WHERE service_id = %s AND start::date = %s ORDER BY start, schedule_id
"""

Statement = tuple[str, Any, type[psycopg.Cursor[Any]]]


@dataclass(frozen=True)
class Search:
    """One day of one service, and what the product ran for it."""

    service: HealthcareService
    day: date
    statements: tuple[Statement, ...] = ()

    @cached_property
    def query(self) -> str:
        return urlencode(
            [
                ("Schedule.actor:HealthcareService", self.service.service_id),
                ("status", "free"),
                ("start", f"ge{self.day}T00:00:00+00:00"),
                ("start", f"le{self.day}T23:59:59+00:00"),
                *(("_include", each) for each in _INCLUDES),
            ]
        )


@dataclass(frozen=True)
class Receiver:
    application: InProcess
    requests: dict[str, Json] = field(default_factory=dict)

    def get(self, search: Search) -> bytes:
        answer = self.application.answer({**self.request(search), "wsgi.input": io.BytesIO()})
        assert answer.status == 200, answer
        return answer.body

    def request(self, search: Search) -> Json:
        """As a server has parsed it. Made once: what its client does to make it is no part of the product."""
        if search.query not in self.requests:
            self.requests[search.query] = {
                **self.application.environ(b""),
                "REQUEST_METHOD": "GET",
                "PATH_INFO": "/FHIR/R4/Slot",
                "QUERY_STRING": search.query,
                "CONTENT_TYPE": "",
            }
        return self.requests[search.query]

    def recorded(self, search: Search) -> Search:
        """The same with its statements: the connection's own record of them."""
        with recording() as statements:
            self.get(search)
        return Search(search.service, search.day, tuple(statements))


@contextmanager
def recording() -> Iterator[list[Statement]]:
    from django.db import connection

    seen: list[Statement] = []

    def note(execute: Callable[..., Any], statement: str, params: Any, many: bool, context: Any) -> Any:
        # Bound as the product had it bound: by the client, or by a server that keeps the plan.
        by_client = isinstance(context["cursor"].cursor, psycopg.ClientCursor)
        seen.append((statement, params, psycopg.ClientCursor if by_client else psycopg.Cursor))
        return execute(statement, params, many, context)

    with connection.execute_wrapper(note):
        yield seen


def run_own_sql(connection: psycopg.Connection[Any], search: Search) -> None:
    for statement, params, bound_by in search.statements:
        cursor = bound_by(connection).execute(statement, params)
        if cursor.description:
            cursor.fetchall()


def check_answer(connection: psycopg.Connection[Any], search: Search, body: bytes, diaries: int) -> None:
    """Every slot of the day in order of time, each include, every reference resolved, nothing else."""
    bundle: Json = json.loads(body)
    matches = [each["resource"] for each in bundle["entry"] if each["search"]["mode"] == "match"]
    held = connection.execute(_SLOTS, (search.service.pk, search.day)).fetchall()
    assert [(each["id"], _time(each["start"]), _time(each["end"])) for each in matches] == held
    assert bundle["total"] == len(held) == A_DAY * diaries
    others = [each["resource"] for each in bundle["entry"] if each["search"]["mode"] == "include"]
    assert {each["resourceType"] for each in others} == _KINDS
    assert sum(each["resourceType"] == "Schedule" for each in others) == diaries
    urls = {each["fullUrl"] for each in bundle["entry"]}
    assert len(urls) == len(bundle["entry"])
    assert {each["schedule"]["reference"] for each in matches} <= urls
    assert {actor["reference"] for each in others for actor in each.get("actor", ())} <= urls


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def compare_with_own_sql(
    name: str, searches: Iterable[Search], receiver: Receiver, connection: psycopg.Connection[Any]
) -> bool:
    recorded = [receiver.recorded(each) for each in searches]
    for statement, _, _ in recorded[0].statements:
        say(f"  floor: {' '.join(statement.split())[:100]}")
    ours, theirs = cycle(recorded), cycle(recorded)
    return compare(
        name,
        lambda: receiver.get(next(ours)),
        lambda: run_own_sql(connection, next(theirs)),
        bound=OWN_SQL_BOUND,
        pairs=PAIRS,
        repeats=REPEATS,
    )


def compare_sizes(name: str, searches: list[Search], receiver: Receiver, tables: SlotTables) -> bool:
    many, few = cycle(searches), cycle(searches)

    def get(table: str, search: Search) -> None:
        tables.use(table)
        receiver.get(search)

    return compare(
        name,
        lambda: get("big", next(many)),
        lambda: get("small", next(few)),
        bound=GROWTH_BOUND,
        pairs=PAIRS,
        repeats=REPEATS,
    )


def measure(stage: Stage, connection: psycopg.Connection[Any]) -> list[bool]:
    asked, receiver = make_services(), Receiver(InProcess.load())
    tables = SlotTables(connection)
    assert tables.sizes["big"] >= _MILLION
    assert tables.sizes["small"] >= _TEN_THOUSAND
    first = date.fromisoformat(FIRST_DAY)
    # A week of each, with the day on which the clocks change.
    plain = [Search(each, first + timedelta(days=day)) for day in range(6, 13) for each in asked.plain]
    busy = [Search(asked.busy, first)]
    for table in tables.sizes:
        tables.use(table)
        for search in plain:
            check_answer(connection, search, receiver.get(search), 1)
        check_answer(connection, busy[0], receiver.get(busy[0]), DIARIES_OF_THE_BUSY)
    size, crowd = f"{tables.sizes['big']:,} stored", A_DAY * DIARIES_OF_THE_BUSY
    kept = [
        compare_with_own_sql(f"/Slot, {A_DAY} slots of {size}, to own SQL", plain, receiver, connection),
        compare_with_own_sql(f"/Slot, {crowd} slots of {size}, to own SQL", busy, receiver, connection),
    ]
    few = f"{tables.sizes['small']:,}"
    return [
        *kept,
        compare_sizes(f"/Slot, {A_DAY} slots of {size}, to {few} stored", plain, receiver, tables),
        compare_sizes(f"/Slot, {crowd} slots of {size}, to {few} stored", busy, receiver, tables),
    ]


def main() -> None:
    with prepare() as stage, stage.connect() as connection:
        connection.execute("SET timezone TO 'UTC'")
        kept = measure(stage, connection)
    finish(*kept)


if __name__ == "__main__":
    main()
