"""Gives committed events their places, one transaction at a time, so that no reader passes one by.

An id is given when a row is written and seen when its transaction has ended: who reads by id and goes on from
the last one misses whatever commits late. So a place comes later than the commit. Whoever numbers holds a
lock until its own work is seen, and the next one looks only then; places become visible in their order.
"""

from django.db import connection, transaction

# Of one transaction.
BATCH = 5000
# For pg_advisory_xact_lock: one at a time.
_LOCK = 6_115_283_902

# Of one organisation what was written first comes first; the stream's row counts on, whatever was forgotten.
_NUMBER = """
WITH fresh AS (
    SELECT id, organisation_id, row_number() OVER (PARTITION BY organisation_id ORDER BY id) AS place
    FROM (
        SELECT id, organisation_id FROM api_event WHERE position IS NULL ORDER BY id LIMIT %s
    ) AS waiting
), counted AS (
    INSERT INTO api_eventstream (organisation_id, last, forgotten)
    SELECT organisation_id, count(*), 0 FROM fresh GROUP BY organisation_id
    ON CONFLICT (organisation_id) DO UPDATE SET last = api_eventstream.last + excluded.last
    RETURNING organisation_id, last
), sizes AS (
    SELECT organisation_id, count(*) AS size FROM fresh GROUP BY organisation_id
)
UPDATE api_event SET position = counted.last - sizes.size + fresh.place
FROM fresh JOIN counted USING (organisation_id) JOIN sizes USING (organisation_id)
WHERE api_event.id = fresh.id
"""


def number_events(*, batch: int = BATCH) -> int:
    """Number all that is committed; how many that were. 0 as well when somebody else is at it."""
    numbered = 0
    while True:
        done = _number_batch(batch)
        numbered += done
        if done < batch:
            return numbered


@transaction.atomic
def _number_batch(batch: int) -> int:
    with connection.cursor() as cursor:
        # A statement of its own: the next one then sees all that the last holder of the lock did.
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        (is_ours,) = cursor.fetchone()
        if not is_ours:
            return 0
        cursor.execute(_NUMBER, [batch])
        return int(cursor.rowcount)
