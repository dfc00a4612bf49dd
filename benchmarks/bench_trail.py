"""A million audit events: taken into the chain by the sealer, then verified, in memory that does not grow.

The events are there at once, as on the day when the chain begins; the sealer works in its own batches. The
verification is what `manage.py verify_audit` does, without heads. Bounds are 10,000 events a second, 60 s,
and 64 MB more than the process had before.
"""

from __future__ import annotations

import argparse
import resource
from time import perf_counter

from pairs import finish, holds, say
from stage import prepare

SEALED_EACH_SECOND, VERIFIED_SECONDS, MORE_MEGABYTES = 10_000, 60.0, 64.0
# A hundred people, half a year.
_FILL = """
INSERT INTO audit_auditevent
    (at, actor_label, action, outcome, subject_type, subject_id, correlation_id, detail)
SELECT now() - interval '180 days' * (1 - n::float8 / %(events)s), 'Somebody ' || n %% 100,
    'bookings.view_booking', 'done', 'bookings.booking', gen_random_uuid()::text, gen_random_uuid(),
    '{"service_id": "2000099999"}'
FROM generate_series(1, %(events)s) AS n
"""


def fill(events: int) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(_FILL, {"events": events})
        cursor.execute("ANALYZE audit_auditevent")


def megabytes() -> float:
    """The most that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def seal(events: int) -> bool:
    from django.utils import timezone

    from bars_portal.audit.chain.sealer import seal_trail

    began = perf_counter()
    if seal_trail(now=timezone.now()) != events:
        raise SystemExit("Not every event was sealed.")
    seconds = perf_counter() - began
    say(f"  sealed   {seconds:.1f} s")
    return holds("a second", [events / seconds], bound=SEALED_EACH_SECOND, at_least=True)


def check(events: int) -> bool:
    from django.utils import timezone

    from bars_portal.audit.chain.verification import verify

    began = perf_counter()
    report = verify(heads=None, keys={}, now=timezone.now())
    seconds = perf_counter() - began
    if not report.is_intact or report.events != events:
        raise SystemExit("The chain does not hold.")
    return holds("verified", [seconds], bound=VERIFIED_SECONDS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    events = parser.parse_args().events
    with prepare():
        fill(events)
        before = megabytes()
        say(f"The chain over {events:,} audit events")
        kept = [seal(events), check(events)]
        kept.append(holds("memory", [megabytes() - before], bound=MORE_MEGABYTES))
    finish(*kept)


if __name__ == "__main__":
    main()
