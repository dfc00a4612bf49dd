"""The REST API beside the pages that do the same, and its list of bookings among a million.

Both ways are whole requests in this process, from the first middleware to the answer's bytes, and the service
that they ask is our own receiver without a socket: slots of one service, at most 1.3 times the page of times;
a booking accepted (202), at most 1.5 times the button that books on the page. Calls of functions are counted
beside the times, for a machine whose clock cannot be trusted. The list is read at any cursor: 50 ms at the
median, with its plan. 1,000 of a million events are in bench_events.py.
"""

from __future__ import annotations

import argparse
import cProfile
import logging
import os
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pstats import Stats
from time import perf_counter, process_time
from typing import Any
from uuid import uuid4

from pairs import compare, finish, holds, say
from stage import prepare

SLOTS_BOUND, BOOKING_BOUND, MILLISECONDS = 1.3, 1.5, 50.0
PAGES, A_PAGE = 200, 100
# So many requests make one batch of a pair.
_REPEATS = 12
_FEWER_REPEATS = 6
_WARM_UP = 20


class Desk:
    """A clinician at the pages and an application at the API, both at the same service."""

    def __init__(self) -> None:
        from django.conf import settings
        from django.test import Client

        from bars_portal.exchange.gateway import client as gateway
        from bookings.services.settling import wait_for_outcome
        from tests.factories.api import bearer, make_application
        from tests.integration.booking_pages.conftest import make_office
        from tests.integration.bookings.loopback import Loopback

        # Without a key nobody sends: a booking is refused before it is written.
        sender = {"API_KEY": "secret", "KEY_ID": "Bench-SIMULATOR-1", "PRIVATE_KEY_FILE": "nowhere.key"}
        settings.BARS = {**settings.BARS, **sender, "SERVICE_ID": "2000099090"}
        settings.ALLOWED_HOSTS = ["testserver"]
        # Nobody delivers, so there is nothing to wait for; and a page's log lines are not what is measured.
        defaults: Any = wait_for_outcome.__kwdefaults__
        defaults["patience"] = 0.0
        logging.disable(logging.WARNING)
        network = Loopback(now=datetime.now(UTC))
        gateway._process.config = dict(settings.BARS)
        gateway._process.client = network.client
        self.office = make_office(network)
        self.application = make_application(
            organisation=self.office.acting.organisation, requests_a_minute=60_000
        )
        # Programs have no session.
        self.client, self.headers = Client(), bearer(self.application)
        self.slots_path = f"/api/v1/services/{self.office.service.service_id}/slots"

    def page_of_times(self) -> object:
        return self._answered(self.office.client.get(self.office.times_page), 200)

    def slots(self) -> Any:
        return self._answered(self.client.get(self.slots_path, headers=self.headers), 200)

    def button(self) -> Callable[[], object]:
        """Each press books the next of the drafts, which people fill in before."""
        from django.urls import reverse

        from tests.integration.booking_pages.conftest import ANSWERS

        drafts = [reverse("bookings:check", args=[self.office.draft(answers=ANSWERS).pk]) for _ in range(150)]
        return lambda: self._answered(self.office.client.post(drafts.pop()), 302)

    def booking(self) -> Callable[[], object]:
        from tests.integration.api.conftest import PATIENT

        body = {"slot": self.slots().json()["slots"][0]["id"], "patient": PATIENT}

        def post() -> object:
            headers = {**self.headers, "Idempotency-Key": str(uuid4())}
            sent: Any = {"content_type": "application/json", "headers": headers}
            return self._answered(self.client.post("/api/v1/bookings", body, **sent), 202)

        return post

    def _answered(self, response: Any, status: int) -> Any:
        if response.status_code != status:
            raise SystemExit(f"{response.request['PATH_INFO']} answers {response.status_code}.")
        return response


def count_calls(product: Callable[[], object], floor: Callable[[], object]) -> None:
    ours, theirs = (_calls(each) for each in (product, floor))
    say(f"  calls    {ours:,} to {theirs:,}: {ours / theirs:.2f} times")


def _calls(call: Callable[[], object]) -> int:
    profile = cProfile.Profile()
    profile.runcall(call)
    return int(Stats(profile).total_calls)  # type: ignore[attr-defined]  # the stubs have it not


def fill(bookings: int, organisation: Any) -> None:
    """So many sent bookings of the organisation, over a year, like one that is really there."""
    from django.db import connection

    from bookings.models import Booking
    from tests.factories.bookings import make_booking

    one = make_booking(organisation=organisation)
    made = {
        "id": "gen_random_uuid()",
        "created_at": f"now() - interval '365 days' * (n / {bookings}.0)",
        "draft_id": "NULL::uuid",
        "resource": "'{}'::jsonb",
        "included": "'[]'::jsonb",
    }
    columns = [str(each.column) for each in Booking._meta.concrete_fields]
    values = [made.get(each, f'one."{each}"') for each in columns]
    named = ", ".join(f'"{each}"' for each in columns)
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(
            f"INSERT INTO bookings_booking ({named}) SELECT {', '.join(values)}"
            " FROM bookings_booking AS one, generate_series(1, %s) AS n WHERE one.id = %s",
            [bookings, one.pk],
        )
        cursor.execute("VACUUM ANALYZE bookings_booking")


def list_pages(desk: Desk, bookings: int) -> bool:
    from bars_portal.api.paging import _written
    from bookings.models import Booking

    chosen, rows = random.Random(11), Booking.objects.order_by("-created_at", "-id")
    places = rows.values_list("created_at", "pk")
    cursors = [_written((at.isoformat(), str(pk))) for at, pk in places[:: max(1, bookings // PAGES)]]
    chosen.shuffle(cursors)

    def read(cursor: str) -> float:
        began = perf_counter()
        asked: Any = {"limit": A_PAGE, "cursor": cursor}
        desk._answered(desk.client.get("/api/v1/bookings", asked, headers=desk.headers), 200)
        return (perf_counter() - began) * 1000

    for each in cursors[:_WARM_UP]:
        read(each)
    own = process_time()
    taken = [read(each) for each in cursors]
    own = (process_time() - own) / len(taken) * 1000
    _show_plan(lambda: read(cursors[0]))
    say(f"List of bookings, {A_PAGE} a page, {len(taken)} pages of {bookings:,}")
    say(f"  {own:.1f} ms of our own processor a page; slowest {max(taken):.1f} ms")
    return holds("page", taken, bound=MILLISECONDS)


def _show_plan(read: Callable[[], object]) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        read()
    said = [str(each["sql"]) for each in queries.captured_queries]
    (asked,) = [each for each in said if 'FROM "bookings_booking"' in each]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF) {asked}")
        say("\n".join(row[0] for row in cursor.fetchall()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bookings", type=int, default=1_000_000)
    bookings = parser.parse_args().bookings
    os.environ["BROKER_URL"] = "memory://"
    with prepare(process="portal"):
        desk = Desk()
        kept = [compare("Slots", desk.slots, desk.page_of_times, bound=SLOTS_BOUND, repeats=_REPEATS)]
        count_calls(desk.slots, desk.page_of_times)
        book, press = desk.booking(), desk.button()
        kept.append(compare("Booking", book, press, bound=BOOKING_BOUND, repeats=_FEWER_REPEATS))
        count_calls(book, press)
        fill(bookings, desk.application.organisation)
        kept.append(list_pages(desk, bookings))
    finish(*kept)


if __name__ == "__main__":
    main()
