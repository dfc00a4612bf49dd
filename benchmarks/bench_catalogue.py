"""A catalogue of a hundred thousand services: imported whole, then searched by name and by distance.

The import is what `manage.py import_catalogue` does with a CSV: read, compare, keep, compare again, write in
one transaction, with every index and trigger in place. A search is what a page asks: how many there are, the
first twenty with their providers and endpoints. Bounds are 60 s and 50 ms at the median; the plans that
PostgreSQL chose are printed.
"""

from __future__ import annotations

import csv
import io
import os
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

from pairs import finish, holds, say
from stage import prepare

SERVICES, POSTCODES, PROVIDERS = 100_000, 20_000, 2_000
IMPORT_SECONDS, SEARCH_MILLISECONDS = 60.0, 50.0
ROUNDS = 15
NOW = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)
_FIRST = (
    "Riverside Meadow Castle Park Station Bridge Abbey Hill Orchard Priory Victoria Albert Forest Lake Moor"
)
_PLACES = (
    "Leeds York Hull Derby Truro Bath Luton Derby Oldham Bolton Wigan Dover Ripon Wells Ely Poole Corby Rugby"
)
_KINDS = {
    "pharmacy": "Pharmacy",
    "utc": "Urgent Treatment Centre",
    "ed": "Emergency Department",
    "cas": "Clinical Assessment Service",
}
_USE_CASES = {"pharmacy": "a5t1;a5t2", "utc": "a1t2;a1t4", "ed": "a1t1;a1t3", "cas": "a3t1;a4t1"}
_COLUMNS = [
    "service_id",
    "name",
    "provider_ods",
    "provider_name",
    "service_type",
    "address_lines",
    "postcode",
    "phone",
    "accepted_use_cases",
    "takes_referrals",
    "opening_hours",
    "endpoint_address",
]

chance = random.Random(20260714)


def postcodes() -> list[tuple[str, float, float]]:
    """Made up, but as wide as England."""
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    codes = {
        f"{chance.choice(letters)}{chance.choice(letters)}{chance.randint(1, 9)}"
        f"{chance.randint(0, 9)}{chance.choice(letters)}{chance.choice(letters)}"
        for _ in range(POSTCODES)
    }
    return [(code, chance.uniform(50.2, 55.4), chance.uniform(-5.0, 1.6)) for code in sorted(codes)]


def catalogue(places: list[tuple[str, float, float]], *, moved: int = 0) -> bytes:
    """A CSV; the first `moved` services have another address."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for number in range(SERVICES):
        writer.writerow(_row(number, places[number % len(places)][0], "/new" if number < moved else ""))
    return text.getvalue().encode()


def _row(number: int, code: str, suffix: str) -> list[str]:
    words, towns, kinds = _FIRST.split(), _PLACES.split(), sorted(_KINDS)
    kind = kinds[number % len(kinds)]
    provider = number % PROVIDERS
    name = f"{words[number % len(words)]} {towns[number // 7 % len(towns)]} {_KINDS[kind]} {number // 60}"
    return [
        str(2_100_000_000 + number),
        name,
        f"BEN{provider:05d}",
        f"{towns[provider % len(towns)]} Health Trust {provider}",
        kind,
        f"{number % 300} High Street;{towns[number // 7 % len(towns)]}",
        f"{code[:-3]} {code[-3:]}",
        "0113 496 0000",
        _USE_CASES[kind],
        "yes",
        "Mon 08:00-20:00; Tue 08:00-20:00; Wed 08:00-20:00",
        f"https://receiver-{provider}.example.nhs.uk/FHIR/R4{suffix}",
    ]


def bring_in(content: bytes) -> float:
    """Seconds."""
    from bars_portal.audit.actor import SYSTEM
    from directory.catalogue.entries import EVERYTHING
    from directory.services.catalogue import apply_catalogue, preview_catalogue

    before, began = processor_seconds(), perf_counter()
    preview = preview_catalogue(
        source="csv", name="bench", content=content, provider=None, reach=EVERYTHING, actor=SYSTEM, now=NOW
    )
    kept = preview.catalogue
    apply_catalogue(
        catalogue=kept,
        fingerprint=preview.difference.fingerprint,
        read=preview.read,
        reach=EVERYTHING,
        actor=SYSTEM,
        now=NOW,
    )
    seconds = perf_counter() - began
    say(
        f"  {kept.added:,} new, {kept.changed:,} changed, {kept.unchanged:,} as they were: {seconds:.1f} s"
        f" for {len(content) / 1e6:.0f} MB"
    )
    here, there = (after - earlier for after, earlier in zip(processor_seconds(), before, strict=True))
    say(f"    of processor time: {here:.1f} s here, {there:.1f} s in PostgreSQL")
    return seconds


def processor_seconds() -> tuple[float, float]:
    """Of this process, and of its PostgreSQL backend where /proc tells (else 0): true on a busy machine."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        stat = Path(f"/proc/{cursor.fetchone()[0]}/stat")
    if not stat.exists():
        return process_time(), 0.0
    user, system = stat.read_text().rpartition(")")[2].split()[11:13]
    return process_time(), (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def searches(code: str) -> dict[str, dict[str, Any]]:
    place = f"{code[:-3]} {code[-3:]}"
    return {
        "name, many match": {"text": "riverside"},
        "name, beginning of a word": {"text": "riv le pha"},
        "name, one matches": {"text": "castle 1203"},
        "distance": {"postcode": place},
        "distance and name": {"postcode": place, "text": "pharmacy"},
        "distance and a rare name": {"postcode": place, "text": "castle 1203"},
        "distance, type and use case": {"postcode": place, "service_type": "utc", "use_case": "a1t4"},
        "distance, fifth page": {"postcode": place, "page": 5},
        "nothing": {},
    }


def page_of(query: dict[str, Any]) -> Callable[[], int]:
    from directory.selectors.search import ServiceSearch

    def ask() -> int:
        wanted = {key: value for key, value in query.items() if key != "page"}
        start = 20 * (query.get("page", 1) - 1)
        search = ServiceSearch(**wanted)
        shown = [each.service.provider.name for each in search[start : start + 20]]
        return len(search) if shown else 0

    return ask


def timed(ask: Callable[[], int]) -> Iterator[float]:
    for _ in range(ROUNDS):
        began = perf_counter()
        if not ask():
            raise SystemExit("A search that finds nothing measures nothing.")
        yield (perf_counter() - began) * 1000


def explain(query: dict[str, Any]) -> None:
    """The plan of every statement that reads services; the widest lines cut."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as ran:
        page_of(query)()
    with connection.cursor() as cursor:
        for statement in (each["sql"] for each in ran if "directory_healthcareservice" in each["sql"]):
            cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, BUFFERS OFF) {statement}")
            for (line,) in cursor.fetchall():
                say(f"    {line[:150]}")
            say("")


def search_all(code: str) -> bool:
    medians = list[float]()
    for name, query in searches(code).items():
        before = sum(processor_seconds())
        times = list(timed(page_of(query)))
        processor = (sum(processor_seconds()) - before) * 1000 / ROUNDS
        spread = f"({min(times):.1f} to {max(times):.1f})"
        say(f"  {name:<28} median {median(times):5.1f} ms {spread}; of processor time {processor:.1f} ms")
        medians.append(median(times))
    return holds("search, the slowest median", [max(medians)], bound=SEARCH_MILLISECONDS)


def main() -> None:
    with prepare():
        from django.db import connection

        from directory.models import Postcode

        places = postcodes()
        Postcode.objects.bulk_create([Postcode(code=a, latitude=b, longitude=c) for a, b, c in places])
        say(f"Import of {SERVICES:,} services into an empty directory, then again, then with 1,000 changes")
        first = bring_in(catalogue(places))
        again = [bring_in(catalogue(places)), bring_in(catalogue(places, moved=1_000))]
        kept = holds("import, the slowest, seconds", [max(first, *again)], bound=IMPORT_SECONDS)
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
            cursor.execute("ANALYZE")
        code = places[len(places) // 2][0]
        say("Search: the count and the first page of twenty")
        fast = search_all(code)
        for name in ("name, many match", "distance and name"):
            say(f"Plan of: {name}")
            explain(searches(code)[name])
    finish(kept, fast)


if __name__ == "__main__":
    main()
