"""How much each application may ask of one process in a minute, and how much it has asked, day by day.

Beyond its share 429 says when to ask again. What was asked, and how it was answered, each process counts, and
writes every few seconds: no request pays for a statement. What was counted since then, API_USAGE_SECONDS at
most, is lost when a process is killed; one that ends in good order writes first (docs/adr/0062).
"""

import atexit
import logging
import math
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from threading import Lock, Timer
from time import monotonic
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection

from bars_portal.api.models import Application, ApplicationUsage
from bars_portal.nhsuk.dates import in_london
from bars_portal.shares import Shares, Taken

logger = logging.getLogger(__name__)
SHARES = Shares()
_WINDOW_SECONDS = 60
KEPT_FOR = timedelta(days=90)
# Answered within so many milliseconds; what took longer than the last counts with it.
STEPS = (5, 10, 20, 35, 50, 75, 100, 150, 250, 500, 1_000, 2_500, 5_000, 10_000, 40_000)
_PERCENTILE = 0.95
# In one order, so that no two processes wait for one another; nothing is kept of an application that is gone.
_ADD = """
INSERT INTO api_applicationusage AS held (application_id, day, milliseconds, requests, refused, failed)
SELECT told.* FROM unnest(%s::uuid[], %s::date[], %s::int[], %s::int[], %s::int[], %s::int[])
    AS told (application_id, day, milliseconds, requests, refused, failed)
JOIN api_application ON api_application.id = told.application_id
ORDER BY told.application_id, told.day, told.milliseconds
ON CONFLICT (application_id, day, milliseconds) DO UPDATE SET
    requests = held.requests + EXCLUDED.requests,
    refused = held.refused + EXCLUDED.refused,
    failed = held.failed + EXCLUDED.failed
"""
# Application, London day, step.
_Place = tuple[UUID, date, int]


def take_share(application: Application) -> Taken:
    return SHARES.take(application.pk, a_minute=application.requests_a_minute, now=monotonic())


def headers_of(application: Application, taken: Taken) -> dict[str, str]:
    """RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers): what is left of how much."""
    resets = math.ceil(taken.waits) or 1
    return {
        "RateLimit-Policy": f'"application";q={application.requests_a_minute};w={_WINDOW_SECONDS}',
        "RateLimit": f'"application";r={taken.left};t={resets}',
    }


def retry_after(taken: Taken) -> int:
    """Seconds until it may ask again, of one who may not now."""
    return max(1, math.ceil(taken.waits))


class Tally:
    """What a process has counted and not written yet. Any thread may use it."""

    def __init__(self) -> None:
        self._lock, self._waits, self._is_told_of_end = Lock(), False, False
        self._requests, self._refused, self._failed = Counter[_Place](), Counter[_Place](), Counter[_Place]()

    def note(self, application: Application, *, status: int, seconds: float, now: datetime) -> None:
        """A request that was answered; the first one since the last time has them written soon."""
        step = next((each for each in STEPS if seconds * 1000 <= each), STEPS[-1])
        place = application.pk, in_london(now).date(), step
        with self._lock:
            self._requests[place] += 1
            self._refused[place] += 400 <= status < 500
            self._failed[place] += status >= 500
            is_first, self._waits = not self._waits, True
        if is_first and settings.API_USAGE_SECONDS:
            self._write_later()

    def write(self) -> None:
        """Add it to what the database holds; what it does not take is kept for the next time."""
        with self._lock:
            told, self._waits = (self._requests, self._refused, self._failed), False
            self._requests, self._refused, self._failed = Counter(), Counter(), Counter()
        if not told[0]:
            return
        columns = zip(*((*place, *(each[place] for each in told)) for place in told[0]), strict=True)
        try:
            with connection.cursor() as cursor:
                cursor.execute(_ADD, [list(column) for column in columns])
        except DatabaseError:
            logger.warning("Usage of the API could not be written; it is tried again")
            with self._lock:
                self._requests.update(told[0])
                self._refused.update(told[1])
                self._failed.update(told[2])

    def _write_later(self) -> None:
        if not self._is_told_of_end:
            self._is_told_of_end = True
            atexit.register(self.write)
        timer = Timer(settings.API_USAGE_SECONDS, self._write_apart)
        timer.daemon = True
        timer.start()

    def _write_apart(self) -> None:
        """In a thread of its own, which holds no connection afterwards."""
        try:
            self.write()
        finally:
            connection.close()


TALLY = Tally()


@dataclass(frozen=True)
class DayOfUse:
    """`refused`: answered 4xx, `failed`: 5xx. `milliseconds`: 95 of 100 were answered within."""

    day: date
    requests: int
    refused: int
    failed: int
    milliseconds: int


def usage_of(application: Application, *, days: int = KEPT_FOR.days) -> list[DayOfUse]:
    """The last days on which it asked for anything, the newest first."""
    rows = ApplicationUsage.objects.filter(application=application).order_by("-day", "milliseconds")
    by_day: dict[date, list[ApplicationUsage]] = {}
    for row in rows:
        by_day.setdefault(row.day, []).append(row)
    return [_day(day, held) for day, held in list(by_day.items())[:days]]


def _day(day: date, rows: list[ApplicationUsage]) -> DayOfUse:
    """`rows`: from the quickest step to the slowest."""
    requests = sum(each.requests for each in rows)
    within, met = 0, 0
    for row in rows:
        within, met = row.milliseconds, met + row.requests
        if met >= requests * _PERCENTILE:
            break
    refused, failed = sum(each.refused for each in rows), sum(each.failed for each in rows)
    return DayOfUse(day, requests, refused, failed, within)


def forget_usage(*, now: datetime) -> int:
    """What is older than KEPT_FOR; how many rows."""
    gone, _ = ApplicationUsage.objects.filter(day__lt=in_london(now).date() - KEPT_FOR).delete()
    return gone
