"""Our receiver against fhirstarter (PyPI) in the same run, on the same PostgreSQL.

Each is one process that speaks plain HTTP on loopback to one kept-alive connection of the same client: ours
gunicorn with the receiver's whole application, theirs uvicorn with uvloop, as its documentation says. Theirs
stores the Bundle as JSON in one committed insert; ours does everything that the standard asks. `make bench`
installs it into var/peer; PEER_PYTHON names another interpreter that has it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from calling import Answer
from pairs import compare, finish, say
from servers import BENCHMARKS, Connection, Server, free_port, plain, running
from stage import ROOT, SERVICE_ID, Json, Stage, bodies, prepare

CREATE_BOUND, SEARCH_BOUND = 3.0, 8.0
PAIRS, CREATES, SEARCHES = 7, 40, 20
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


def compare_searches(stage: Stage, ours: Connection, theirs: Connection) -> bool:
    give_included(stage, bundle_of(ours.get(our_search())))
    one, other = bundle_of(ours.get(our_search())), bundle_of(theirs.get(their_search()))
    assert one["total"] == other["total"] == _SLOTS
    assert facts(one) == facts(other)

    def search(connection: Connection, path: str) -> None:
        assert connection.get(path).status == 200

    return compare(
        f"Slot search, {_SLOTS} slots with includes, against fhirstarter",
        lambda: search(ours, our_search()),
        lambda: search(theirs, their_search()),
        bound=SEARCH_BOUND,
        pairs=PAIRS,
        repeats=SEARCHES,
        at_least=True,
    )


def compare_creates(stage: Stage, ours: Connection, theirs: Connection) -> bool:
    count = PAIRS * CREATES + CREATES // 4
    sent = bodies(count)
    for_us, for_them = iter(sent), iter(sent)

    def create(connection: Connection, body: bytes, path: str, status: int) -> None:
        answer = connection.post(body, path)
        assert answer.status == status, answer

    kept = compare(
        "Creating REFREQ01, against fhirstarter",
        lambda: create(ours, next(for_us), "/FHIR/R4/$process-message", 200),
        lambda: create(theirs, next(for_them), "/Bundle", 201),
        bound=CREATE_BOUND,
        pairs=PAIRS,
        repeats=CREATES,
        at_least=True,
    )
    with stage.connect() as connection:
        stored = connection.execute("SELECT body FROM exchange_inboundmessage WHERE state = 'accepted'")
        assert sorted(bytes(row[0]) for row in stored) == sorted(sent)
        kept_there = connection.execute("SELECT resource ->> 'id' FROM peer_bundle")
        assert sorted(row[0] for row in kept_there) == sorted(json.loads(body)["id"] for body in sent)
    say(f"  all {count} are stored on both sides")
    return kept


def main() -> None:
    with prepare() as stage:
        make_slots(stage)
        with stage.connect() as connection:
            for table in _TABLES:
                connection.execute(table)
        url = stage.database_url
        with plain(url) as our_server, peer(url) as their_server:
            ours, theirs = our_server.connect(), their_server.connect()
            finish(compare_creates(stage, ours, theirs), compare_searches(stage, ours, theirs))


if __name__ == "__main__":
    main()
