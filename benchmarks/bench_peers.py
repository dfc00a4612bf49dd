"""Our receiver against fhirstarter (PyPI) in the same run, on the same PostgreSQL.

Each is one process that speaks plain HTTP on loopback to kept-alive connections of the same clients: ours
gunicorn with the receiver's whole application, theirs uvicorn with uvloop, as its documentation says. The
bounds are on the rate, which is what a server gets done for several clients; what a single one waits is told
beside it. Theirs stores the Bundle as JSON in one committed insert; ours does everything that the standard
asks. `make bench` installs it into var/peer; PEER_PYTHON names another interpreter that has it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from calling import Answer
from load import Load, clients, get, post
from pairs import compare, finish, say
from servers import BENCHMARKS, Connection, Server, free_port, plain, running
from stage import ROOT, SERVICE_ID, Json, Stage, bodies, prepare

CREATE_BOUND, SEARCH_BOUND = 2.7, 8.0
# Requests are made in batches: between two of them nobody waits for a straggler.
CLIENTS, PAIRS, BATCH = 4, 9, 80
_DAY = datetime(2030, 3, 1, 8, tzinfo=UTC)
_SLOTS = 48
_TABLES = (
    "CREATE TABLE peer_bundle (id uuid PRIMARY KEY, resource jsonb NOT NULL)",
    "CREATE TABLE peer_included (url text PRIMARY KEY, resource jsonb NOT NULL)",
)
_INCLUDES = ("Slot:schedule", "Schedule:actor:Practitioner", "Schedule:actor:HealthcareService")


@contextmanager
def peer(url: str) -> Iterator[Server]:
    python = os.environ.get("PEER_PYTHON", str(ROOT / "var" / "peer" / "bin" / "python"))
    if not Path(python).exists():
        raise SystemExit("fhirstarter is not installed: run this through `make bench`.")
    port = free_port()
    options = [
        "--app-dir",
        str(BENCHMARKS),
        "--port",
        str(port),
        "--no-access-log",
        "--timeout-keep-alive",
        "75",
    ]
    with TemporaryDirectory(prefix="bars-bench-peer-") as folder:
        variables = {"FHIR_SEQUENCE": "R4B", "PEER_DATABASE_URL": url}
        command = [python, "-m", "uvicorn", *options, "peer_app:app"]
        with running(command, variables, port, Path(folder), None) as server:
            yield server


def make_slots(stage: Stage) -> None:
    from tests.factories.bookings import make_schedule, make_slot

    schedule = make_schedule(service=stage.service, practitioner_family="Anand", practitioner_given="Priya")
    for number in range(_SLOTS):
        make_slot(schedule=schedule, start=_DAY + timedelta(minutes=15 * number))


def our_search() -> str:
    query = [
        ("Schedule.actor:HealthcareService", SERVICE_ID),
        ("status", "free"),
        ("start", f"ge{_DAY.isoformat()}"),
        ("start", f"le{(_DAY + timedelta(days=1)).isoformat()}"),
        *(("_include", each) for each in _INCLUDES),
    ]
    return f"/FHIR/R4/Slot?{urlencode(query)}"


def their_search() -> str:
    starts = [f"ge{_DAY.isoformat()}", f"le{(_DAY + timedelta(days=1)).isoformat()}"]
    query = {"schedule": SERVICE_ID, "status": "free", "start": starts}
    return f"/Slot?{urlencode(query, doseq=True)}"


def bundle_of(answer: Answer) -> Json:
    assert answer.status in {200, 201}, answer
    found: Json = json.loads(answer.body)
    return found


def give_included(stage: Stage, ours: Json) -> None:
    """What our answer includes, so that theirs has it too."""
    included = [each for each in ours["entry"] if each["search"]["mode"] == "include"]
    with stage.connect() as connection:
        for each in included:
            row = (each["fullUrl"], json.dumps(each["resource"]))
            connection.execute("INSERT INTO peer_included (url, resource) VALUES (%s, %s)", row)


def facts(bundle: Json) -> list[tuple[object, ...]]:
    """What makes two answers the same: every slot with its time, every other resource by type and id."""
    return sorted(map(_fact, (each["resource"] for each in bundle["entry"])), key=str)


def _fact(resource: Json) -> tuple[object, ...]:
    kind = (resource["resourceType"], resource["id"])
    if kind[0] != "Slot":
        return kind
    times = (datetime.fromisoformat(resource[name]).astimezone(UTC) for name in ("start", "end"))
    return (*kind, resource["status"], *times)


@dataclass(frozen=True)
class Sides:
    """The same number of connections to either server."""

    ours: Load
    theirs: Load


@contextmanager
def both(ours: Server, theirs: Server, count: int) -> Iterator[Sides]:
    with clients(ours.port, count) as one, clients(theirs.port, count) as other:
        yield Sides(one, other)


def compare_searches(sides: Sides, how_many: str, bound: float | None) -> bool:
    for_us = [get(our_search()) for _ in range(BATCH)]
    for_them = [get(their_search()) for _ in range(BATCH)]
    return compare(
        f"Slot search, {_SLOTS} slots with includes, against fhirstarter, {how_many}",
        lambda: sides.ours.carry(for_us, status=200),
        lambda: sides.theirs.carry(for_them, status=200),
        bound=bound,
        pairs=PAIRS,
        repeats=1,
        requests=BATCH,
        at_least=True,
    )


def compare_creates(stage: Stage, sides: Sides, how_many: str, bound: float | None) -> bool:
    sent = bodies((PAIRS + 1) * BATCH)
    for_us, for_them = (
        _batches([post(body) for body in sent]),
        _batches([post(body, "/Bundle") for body in sent]),
    )
    kept = compare(
        f"Creating REFREQ01, against fhirstarter, {how_many}",
        lambda: sides.ours.carry(next(for_us), status=200),
        lambda: sides.theirs.carry(next(for_them), status=201),
        bound=bound,
        pairs=PAIRS,
        repeats=1,
        requests=BATCH,
        at_least=True,
    )
    check_stored(stage, sent)
    return kept


def _batches(requests: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    return (requests[begin : begin + BATCH] for begin in range(0, len(requests), BATCH))


def check_stored(stage: Stage, sent: Sequence[bytes]) -> None:
    """Every message is there on both sides, whole."""
    with stage.connect() as connection:
        stored = connection.execute("SELECT body FROM exchange_inboundmessage WHERE state = 'accepted'")
        assert sorted(sent) == sorted({bytes(row[0]) for row in stored} & set(sent))
        kept_there = connection.execute("SELECT resource ->> 'id' FROM peer_bundle")
        assert {json.loads(body)["id"] for body in sent} <= {row[0] for row in kept_there}
    say(f"  all {len(sent)} are stored on both sides")


def same_answers(stage: Stage, ours: Connection, theirs: Connection) -> None:
    give_included(stage, bundle_of(ours.get(our_search())))
    one, other = bundle_of(ours.get(our_search())), bundle_of(theirs.get(their_search()))
    assert one["total"] == other["total"] == _SLOTS
    assert facts(one) == facts(other)


def measure(stage: Stage, ours: Server, theirs: Server) -> list[bool]:
    with both(ours, theirs, CLIENTS) as crowd, both(ours, theirs, 1) as single:
        at_once, alone = f"{CLIENTS} clients at once", "one client"
        return [
            compare_creates(stage, crowd, at_once, CREATE_BOUND),
            compare_searches(crowd, at_once, SEARCH_BOUND),
            compare_creates(stage, single, alone, None),
            compare_searches(single, alone, None),
        ]


def main() -> None:
    with prepare() as stage:
        make_slots(stage)
        with stage.connect() as connection:
            for table in _TABLES:
                connection.execute(table)
        url = stage.database_url
        with plain(url) as ours, peer(url) as theirs:
            same_answers(stage, ours.connect(), theirs.connect())
            finish(*measure(stage, ours, theirs))


if __name__ == "__main__":
    main()
