"""A page of 1,000 events from a million: after any cursor, for who sees all and for who sees one in fifty.

First the events get their places, in the numbering's own batches, as on a day when the worker was away. Each
page is the whole view: the token, what the application may see, the rows and the JSON. Bounds are 50 ms at
the median and 5,000 events numbered a second.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from time import perf_counter, process_time
from typing import Any

from pairs import finish, holds, say
from stage import prepare

MILLISECONDS, NUMBERED_EACH_SECOND, PAGES = 50.0, 5_000, 200
_SERVICES = 50
_FILL = """
INSERT INTO api_event
    (uid, organisation_id, at, type, subject_id, direction, status, service_id, journey_id, needs)
SELECT gen_random_uuid(), %(organisation)s, now() - interval '80 days' * (1 - n::float8 / %(events)s),
    'booking.booked', gen_random_uuid(), 'sent', 'booked', (2000000000 + n %% %(services)s)::text,
    gen_random_uuid(), 'bookings.view_sent_bookings'
FROM generate_series(1, %(events)s) AS n
"""


def fill(organisation: int, events: int) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        values = {"organisation": organisation, "events": events, "services": _SERVICES}
        cursor.execute(_FILL, values)
        cursor.execute("ANALYZE api_event")


def number(events: int) -> bool:
    from bars_portal.api.events import number_events

    began = perf_counter()
    if number_events() != events:
        raise SystemExit("Not every event got its place.")
    return holds("a second", [events / (perf_counter() - began)], bound=NUMBERED_EACH_SECOND, at_least=True)


def reader(service_ids: list[str], organisation: Any) -> Callable[[int], float]:
    """Reads one page after a cursor; how many milliseconds that took."""
    from rest_framework.test import APIRequestFactory

    from bars_portal.api.own import EventList
    from tests.factories.api import bearer, make_application

    application = make_application(
        organisation=organisation, service_ids=service_ids, requests_a_minute=60_000
    )
    headers, view, make = bearer(application), EventList.as_view(), APIRequestFactory()

    def read(after: int) -> float:
        request = make.get("/api/v1/events", {"after": after, "limit": 1000}, headers=headers)
        began = perf_counter()
        response = view(request)
        if hasattr(response, "render"):
            response.render()
        took = (perf_counter() - began) * 1000
        if response.status_code != 200:
            raise SystemExit(f"The view answers {response.status_code}.")
        return took

    return read


def pages(what: str, read: Callable[[int], float], events: int) -> bool:
    chosen = random.Random(11)
    for _ in range(10):
        read(chosen.randrange(events))
    began = process_time()
    taken = [read(chosen.randrange(events - 1000)) for _ in range(PAGES)]
    own = (process_time() - began) / PAGES * 1000
    say(f"{what}: {own:.1f} ms of our own processor a page; slowest of {PAGES} {max(taken):.1f} ms")
    return holds("page", taken, bound=MILLISECONDS)


def show_plan(organisation: Any, events: int) -> None:
    from bars_portal.api.events import LOOKED_AT
    from bars_portal.api.models import Event

    within = {"position__gt": events // 2, "position__lte": events // 2 + LOOKED_AT}
    rows = Event.objects.filter(organisation=organisation, **within, service_id="2000000007")
    say(rows.order_by("position")[:1000].explain(analyze=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    events = parser.parse_args().events
    with prepare() as stage:
        organisation = stage.service.provider
        fill(organisation.pk, events)
        say(f"Events: {events:,}")
        kept = [number(events)]
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE api_event")
        show_plan(organisation, events)
        kept.append(pages("Sees all", reader([], organisation), events))
        kept.append(pages("Sees one service of fifty", reader(["2000000007"], organisation), events))
    finish(*kept)


if __name__ == "__main__":
    main()
