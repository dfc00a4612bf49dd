"""Each report over a year in which all of 1,000,000 rows of its kind lie (`--rows`).

The page is the whole view: the numbers of this year and of the one before, charts and tables. The file of
the list behind it is read to its end, and its lines are counted. Bounds: 2 s of processor time for a page,
ours and PostgreSQL's; 64 MB more than the process had before for a file, however long it is. `--only` takes
a report's name. What took long is told with its plans.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

from bench_lists import Reader, slow_plans, work
from bench_trail import megabytes
from crowd import crowded, reported
from pairs import finish, holds, say

PAGE_SECONDS, MORE_MEGABYTES, TIMES = 2.0, 64.0, 3


def seconds_of(call: Callable[[], object]) -> float:
    used = work()
    call()
    return (work() - used) / 1000


def read_whole(client: Any, address: str) -> int:
    """Lines of a file."""
    response = client.get(address)
    if response.status_code != 200:
        raise SystemExit(f"{address} answers {response.status_code}.")
    return sum(part.count(b"\n") for part in response.streaming_content)


def measure(readers: dict[str, Reader], report: Any, rows: int, year: str, *, plans: bool) -> list[bool]:
    from django.urls import reverse

    reader = readers["manager" if "activity" in report.permission else "engineer"]
    page = f"{reverse('reports:report', args=[report.name])}?{year}"
    say(f"{report.title}")
    taken = [seconds_of(lambda: reader.ask(page)) for _ in range(TIMES)]
    kept = [holds("page, s", taken, bound=PAGE_SECONDS)]
    if plans or not all(kept):
        for line in slow_plans(reader, page):
            say(line)
    listed = f"{reverse('reports:list', args=[report.name])}?{year}"
    say(f"  list     {median([seconds_of(lambda: reader.ask(listed)) for _ in range(TIMES)]):.3f} s")
    before, began = megabytes(), perf_counter()
    file = f"{reverse('reports:list-file', args=[report.name])}?{year}"
    found: list[int] = []
    used = seconds_of(lambda: found.append(read_whole(reader.client, file)))
    say(f"  file     {found[0]:,} lines, {used:.1f} s of processors, {perf_counter() - began:.1f} s")
    if found[0] < rows // 3:
        raise SystemExit("The file is too short.")
    return [*kept, holds("more, MB", [megabytes() - before], bound=MORE_MEGABYTES)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only", default="")
    parser.add_argument("--plans", action="store_true")
    given = parser.parse_args()
    with crowded(reported, given.rows) as people:
        readers = {role: Reader(person) for role, person in people.items()}
        kept = each_report(readers, given)
    finish(*kept)


def each_report(readers: dict[str, Reader], given: argparse.Namespace) -> list[bool]:
    from datetime import timedelta

    from django.utils import timezone

    from bars_portal.reports.counting import REPORTS

    today = timezone.now().date()
    year = f"from={today - timedelta(days=365)}&to={today}"
    return [
        held
        for report in REPORTS
        if given.only in report.name
        for held in measure(readers, report, given.rows, year, plans=given.plans)
    ]


if __name__ == "__main__":
    main()
