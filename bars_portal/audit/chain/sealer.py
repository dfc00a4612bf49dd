"""The sealer: takes committed events into the chain, later than they were written, so that no writer waits.

Ids are given in one order and committed in another. What is seen is sealed, whichever ids are still missing.
Whoever is writing is noted, and once all those have ended the ids given before are settled: what is not there
by then was rolled back, and an event that still appears under such an id was put in from outside. The sealer
does not take it, and `verify_audit` names it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby, islice

from django.db import connection, transaction

from bars_portal.audit.chain.canonical import (
    BEGINNING,
    ROW_SQL,
    VERSION,
    EventRow,
    SealFacts,
    digest_of,
    hash_of,
)
from bars_portal.audit.models import Seal, SealerNote

# Events of one transaction, and of one seal.
BATCH, _LARGEST_SEAL = 5000, 1000
# For pg_advisory_xact_lock: one sealer at a time.
_LOCK = 6_115_283_901


@dataclass(frozen=True)
class End:
    """Where the chain ends, and up to which id it is settled."""

    number: int = 0
    hash: bytes = BEGINNING
    total: int = 0
    settled: int = 0
    last_id: int = 0


@dataclass(frozen=True)
class Round:
    """What one transaction sealed; `is_over` when nothing that was committed is left."""

    sealed: int
    is_over: bool


def seal_trail(*, now: datetime, wait: bool = False, batch: int = BATCH) -> int | None:
    """Seal all that is committed; how many events that were.

    None when somebody else is at it; with `wait` they are waited for.
    """
    sealed = 0
    while True:
        done = seal_batch(now=now, wait=wait, batch=batch)
        if done is None:
            return None
        sealed += done.sealed
        if done.is_over:
            return sealed


@transaction.atomic
def seal_batch(*, now: datetime, wait: bool = False, batch: int = BATCH) -> Round | None:
    """One transaction of the sealer; None when another has the lock."""
    if wait:
        lock_chain()
    elif not _lock_if_free():
        return None
    end = end_of_chain()
    note = SealerNote.objects.filter(pk=1).first()
    # Before the events are read: who has ended by now has committed what we then see.
    is_settled = note is not None and not writers_now().intersection(note.writers)
    rows = _unsealed(end.settled, batch)
    is_over = len(rows) < batch
    settled = end.settled
    if note is not None and is_settled:
        settled = max(settled, note.given_up_to if is_over else min(note.given_up_to, rows[-1].id))
    if rows or settled > end.settled:
        Seal.objects.bulk_create(_seals(end, rows, settled, now))
    if note is None or (is_settled and is_over):
        _note_writers()
    return Round(len(rows), is_over)


def end_of_chain() -> End:
    """Pruning leaves the newest seal, so that there is always one to go on from."""
    last = Seal.objects.order_by("-number").first()
    if last is None:
        return End()
    return End(last.number, bytes(last.hash), last.total, last.settled, last.last_id)


def writers_now() -> set[str]:
    """Virtual transaction ids of all that may have written an event and not committed yet.

    Whoever writes holds this lock from before the id is given until the transaction has ended and is seen.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT virtualtransaction FROM pg_locks
            WHERE relation = 'audit_auditevent'::regclass AND mode = 'RowExclusiveLock' AND granted
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND pid IS DISTINCT FROM pg_backend_pid()"""
        )
        return {writer for (writer,) in cursor}


def lock_chain() -> None:
    """Until the transaction ends; waits for whoever seals or prunes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _lock_if_free() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        (got,) = cursor.fetchone()
        return bool(got)


def _note_writers() -> None:
    """The ids first: who got one of them after we have looked for writers is not among them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM audit_auditevent_id_seq")
        (given,) = cursor.fetchone()
    note = {"given_up_to": given, "writers": sorted(writers_now())}
    SealerNote.objects.update_or_create(pk=1, defaults=note)


def _unsealed(settled: int, batch: int) -> list[EventRow]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""{ROW_SQL} WHERE id > %s
                AND id NOT IN (SELECT unnest(event_ids) FROM audit_seal WHERE last_id > %s)
            ORDER BY id LIMIT %s""",  # noqa: S608 - constants
            [settled, settled, batch],
        )
        return [EventRow(*row) for row in cursor]


def _seals(end: End, rows: list[EventRow], settled: int, now: datetime) -> Iterator[Seal]:
    """A seal holds one day, so that whole days can go; the last one tells what is settled by all."""
    blocks = list(_blocks(rows, today=now.astimezone(UTC).date())) or [(now.astimezone(UTC).date(), [])]
    for place, (day, events) in enumerate(blocks, start=1):
        facts = SealFacts(
            number=end.number + 1,
            day=day,
            sealed_at=now,
            event_ids=[each.id for each in events],
            digests=b"".join(map(digest_of, events)),
            total=end.total + len(events),
            settled=settled if place == len(blocks) else end.settled,
            last_id=max([end.last_id if not events else 0, *(each.id for each in events)]),
            previous=end.hash,
        )
        own = hash_of(facts)
        yield Seal(version=VERSION, hash=own, **facts._asdict())
        end = End(facts.number, own, facts.total, facts.settled, facts.last_id)


def _blocks(rows: list[EventRow], *, today: date) -> Iterator[tuple[date, list[EventRow]]]:
    for day, same in groupby(rows, key=lambda row: _day_of(row, today)):
        events = iter(same)
        while block := list(islice(events, _LARGEST_SEAL)):
            yield day, block


def _day_of(row: EventRow, today: date) -> date:
    """The day in UTC; what is no day in our years was not written by us, and is sealed all the same."""
    try:
        return date.fromisoformat((row.at or "")[:10])
    except ValueError:
        return today
