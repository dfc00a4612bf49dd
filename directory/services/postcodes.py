"""Writes the postcode table: COPY into a temporary table, then one upsert, a batch a transaction."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from django.db import connection, transaction

from directory.postcodes import PostcodeRow, Skipped

BATCH = 5_000

_CREATE = """
    CREATE TEMPORARY TABLE postcode_batch (code varchar(8), latitude float8, longitude float8) ON COMMIT DROP
"""
_COPY = "COPY postcode_batch (code, latitude, longitude) FROM STDIN"
# Rows that say what is known already are left alone: a second run writes nothing.
_UPSERT = """
    INSERT INTO directory_postcode AS known (code, latitude, longitude)
    SELECT code, latitude, longitude FROM postcode_batch
    ON CONFLICT (code) DO UPDATE SET latitude = excluded.latitude, longitude = excluded.longitude
    WHERE (known.latitude, known.longitude) IS DISTINCT FROM (excluded.latitude, excluded.longitude)
"""


@dataclass(frozen=True)
class ImportCounts:
    """`written` are new and changed rows; the rest of `live` was there already."""

    read: int
    live: int
    written: int
    terminated: int
    without_position: int


def import_postcodes(
    *,
    rows: Iterable[PostcodeRow | Skipped],
    dry_run: bool = False,
    batch_size: int = BATCH,
    progress: Callable[[int], None] | None = None,
) -> ImportCounts:
    """Insert or update every live postcode. Safe to repeat: batches before a fault stay.

    A dry run reads everything and writes nothing. `progress` gets the number of rows read so far.
    """
    seen: Counter[str] = Counter()
    for batch in _batches(rows, batch_size):
        # The last row of a postcode wins: an upsert may touch each row once.
        live = {row.code: row for row in batch if isinstance(row, PostcodeRow)}
        seen.update(row.value for row in batch if isinstance(row, Skipped))
        seen.update(read=len(batch), live=len(live), written=0 if dry_run else _write(live.values()))
        if progress is not None:
            progress(seen["read"])
    return ImportCounts(
        read=seen["read"],
        live=seen["live"],
        written=seen["written"],
        terminated=seen[Skipped.TERMINATED.value],
        without_position=seen[Skipped.NO_POSITION.value],
    )


def _batches(rows: Iterable[PostcodeRow | Skipped], size: int) -> Iterator[list[PostcodeRow | Skipped]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, size)):
        yield batch


def _write(rows: Iterable[PostcodeRow]) -> int:
    """Number of rows inserted or changed."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.postcode_batch")
        cursor.execute(_CREATE)
        with cursor.copy(_COPY) as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(_UPSERT)
        return int(cursor.rowcount)
