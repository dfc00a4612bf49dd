"""Every list of the portal and of the administration among 100,000 rows of each kind (`--rows`).

Whole requests in this process, from the first middleware to the answer's bytes: first pages, the deepest page
where there are pages, every column that sorts, and a search where there is one. Beside each stands a page
that lists nothing, asked by the same person in turn with it. Processor time counts, ours and PostgreSQL's,
so that a busy machine says the same; ours alone, how many statements, how many rows they read and what was
waited stand beside it. At the median 150 ms; a list that misses shows the plans of its slowest statements.
`--only` takes a part of a list's address.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

from crowd import crowded, everything
from pairs import finish, say

MILLISECONDS, TIMES = 150.0, 5
_PLAIN = "/accounts/choose-organisation/"
# Statements quicker than this are not what makes a list slow.
_SLOW, _SHOWN = 8.0, 4
_MANY = 1_000_000
# By whom, and what: `{last}` is a page that there is not, for which the last one is shown.
PAGES = [
    ("manager", "/"),
    ("clinician", "/"),
    ("engineer", "/"),
    ("auditor", "/"),
    ("clinician", "/bookings/"),
    ("clinician", "/bookings/?page={last}"),
    ("clinician", "/bookings/?status=unknown"),
    ("manager", "/bookings/diary/"),
    ("manager", "/bookings/diary/list/"),
    ("manager", "/bookings/diary/calls/"),
    ("manager", "/bookings/clinics/"),
    ("manager", "/bookings/diary/feeds/"),
    ("manager", "/bookings/diary/capacity/"),
    ("clinician", "/services/?name=service"),
    ("clinician", "/services/?name=service&page={last}"),
    ("manager", "/services/pauses/"),
    ("clinician", "/referrals/worklist/"),
    ("clinician", "/referrals/worklist/?page={last}"),
    ("clinician", "/referrals/worklist/?order=priority"),
    ("clinician", "/referrals/worklist/?order=age"),
    ("clinician", "/referrals/worklist/?state=closed"),
    ("clinician", "/referrals/worklist/?state=late"),
    ("clinician", "/referrals/worklist/?kind=booking"),
    ("clinician", "/referrals/tasks/"),
    ("clinician", "/referrals/tasks/?page={last}"),
    ("clinician", "/referrals/replies/"),
    ("clinician", "/referrals/replies/?page={last}"),
    ("clinician", "/referrals/sent/"),
    ("clinician", "/referrals/sent/?page={last}"),
    ("clinician", "/referrals/sent/?status=unclear"),
    ("clinician", "/referrals/sent/?status=late"),
    ("clinician", "/referrals/sent/?status=pending"),
    ("clinician", "/referrals/given-up/"),
    ("clinician", "/referrals/given-up/?page={last}"),
    ("clinician", "/referrals/requests/"),
    ("engineer", "/messages/"),
    ("engineer", "/messages/?state=refused"),
    ("engineer", "/messages/dead-letters/"),
    ("engineer", "/messages/dead-letters/?page={last}"),
    ("engineer", "/messages/partners/"),
    ("auditor", "/messages/unmaskings/"),
    ("auditor", "/messages/unmaskings/?page={last}"),
    ("manager", "/accounts/people/"),
    ("manager", "/accounts/people/?page={last}"),
    ("auditor", "/accounts/break-glass/uses/"),
    ("auditor", "/accounts/break-glass/uses/?page={last}"),
    ("auditor", "/trail/results/?from=2020-01-01&to=2100-01-01"),
    ("auditor", "/trail/results/?from=2020-01-01&to=2100-01-01&page={last}"),
    ("engineer", "/status/"),
]


@dataclass(frozen=True)
class Taken:
    """Milliseconds at the median: of processors, all and ours, and of a page without a list; by the clock."""

    work: float
    ours: float
    plain: float
    waited: float

    @property
    def fits(self) -> bool:
        return self.work <= MILLISECONDS


class Reader:
    def __init__(self, user: Any) -> None:
        from django.test import Client

        self.client = Client(raise_request_exception=False)
        self.client.force_login(user)

    def ask(self, address: str) -> int:
        response = self.client.get(address)
        return int(response.status_code)

    def time(self, address: str) -> Taken:
        listed, ours, plain, waited = [], [], [], []
        for _ in range(TIMES):
            used, own, began = work(), process_time(), perf_counter()
            self.ask(address)
            waited.append((perf_counter() - began) * 1000)
            ours.append((process_time() - own) * 1000)
            listed.append(work() - used)
            used = work()
            self.client.get(_PLAIN)
            plain.append(work() - used)
        return Taken(median(listed), median(ours), median(plain), median(waited))

    def read(self, address: str) -> tuple[int, float]:
        """Statements, and the rows that they read, whatever came of them."""
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        from tests.plans import plans

        with CaptureQueriesContext(connection) as asked:
            self.ask(address)
        return len(asked), sum(_rows_of(plan) for _, plan in plans(lambda: self.ask(address)))


def work() -> float:
    """Milliseconds of processor time so far, of this process and of those that PostgreSQL has for it."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        theirs = [Path(f"/proc/{pid}/schedstat") for (pid,) in cursor.fetchall()]
    spent = sum(int(each.read_text().split()[0]) for each in theirs if each.exists())
    return process_time() * 1000 + spent / 1e6


def admin_pages() -> Iterator[str]:
    from django.contrib import admin
    from django.urls import reverse

    for model, page in admin.site._registry.items():
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        yield address
        yield f"{address}?p=900"
        if page.search_fields:
            yield f"{address}?q=300000077"
        for at, name in enumerate(page.list_display, start=1):
            if name in (page.sortable_by or ()):
                yield f"{address}?o={at}"


def _rows_of(plan: Any) -> float:
    found = sum(_rows_of(each) for each in plan.get("Plans", ()))
    if "Relation Name" in plan:
        dropped = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
        found += (plan["Actual Rows"] + dropped) * plan["Actual Loops"]
    return float(found)


def slow_plans(reader: Reader, address: str) -> Iterator[str]:
    """Of its slowest statements."""
    from tests.plans import plans

    told = sorted(plans(lambda: reader.ask(address)), key=lambda each: -each[0])
    for milliseconds, plan in told[:_SHOWN]:
        if milliseconds >= _SLOW:
            yield f"      {milliseconds:.1f} ms"
            yield from _as_tree(plan, "        ")


def _as_tree(plan: Any, indent: str) -> Iterator[str]:
    of = plan.get("Index Name") or plan.get("Relation Name") or ""
    dropped = plan.get("Rows Removed by Filter", 0)
    yield (
        f"{indent}{plan['Node Type']} {of}: {plan['Actual Rows']:,.0f} rows, {plan['Actual Loops']} times"
        f"{f', {dropped:,.0f} dropped' if dropped else ''}, {plan['Actual Total Time']:.1f} ms"
    )
    for each in plan.get("Plans", ()):
        yield from _as_tree(each, f"{indent}  ")


def measured(readers: dict[str, Reader], pages: list[tuple[str, str]], *, plans: bool) -> Iterator[bool]:
    for who, address in pages:
        asked = address.format(last=_MANY)
        if (status := readers[who].ask(asked)) != HTTPStatus.OK:
            say(f"{who:>40} {address} answers {status} MISSED")
            yield False
            continue
        taken = readers[who].time(asked)
        verdict = "" if taken.fits else " MISSED"
        statements, rows = readers[who].read(asked)
        told = f"{taken.work:7.1f} ms, {taken.ours:6.1f} ours, {taken.work / taken.plain:5.1f} times"
        read = f"{statements:3} statements {rows:9,.0f} rows {taken.waited:8.1f} waited"
        say(f"{told} {read}  {who:<10} {address}{verdict}")
        if plans or not taken.fits:
            for line in slow_plans(readers[who], asked):
                say(line)
        yield taken.fits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--only", default="")
    parser.add_argument("--plans", action="store_true", help="of every list")
    given = parser.parse_args()
    with crowded(everything, given.rows) as people:
        readers = {role: Reader(person) for role, person in people.items()}
        admin = [("superuser", each) for each in admin_pages()]
        pages = [(who, each) for who, each in [*PAGES, *admin] if given.only in each]
        kept = list(measured(readers, pages, plans=given.plans))
        say(f"{sum(kept)} of {len(kept)} lists within {MILLISECONDS:.0f} ms")
    finish(*kept)


if __name__ == "__main__":
    main()
