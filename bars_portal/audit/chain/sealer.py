"""The sealer: takes committed events into the chain, later than they were written, so that no writer waits.

Ids are given in one order and committed in another. What is seen is sealed, whichever ids are still missing.
Whoever is writing is noted, and once all those have ended the ids given before are settled: what is not there
by then was rolled back, and an event that still appears under such an id was put in from outside. The sealer
does not take it, and `verify_audit` names it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from itertools import groupby, islice
from typing import NamedTuple

import orjson
from django.db import connection, transaction

from bars_portal.audit.models import Seal, SealerNote

# -- the bytes of a row and of a seal, from which the hashes are made: a JSON array without blanks, in UTF-8

# Rows that are sealed keep their version for good: another column needs a new version beside this one.
VERSION = 1
HASH_LENGTH = 32
# What the first seal has in place of the hash before it.
BEGINNING = bytes(HASH_LENGTH)


class EventRow(NamedTuple):
    """Every column of an audit event, in this order, as PostgreSQL writes it (ROW_SQL).

    `at` is in UTC with microseconds, `detail` is the text of the jsonb.
    """

    id: int
    at: str
    actor_user_id: int | None
    actor_label: str
    organisation_id: int | None
    action: str
    outcome: str
    subject_type: str
    subject_id: str
    correlation_id: str | None
    detail: str


# Independent of the session's time zone and date style.
AT_SQL = """to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
ROW_SQL = f"""SELECT id, {AT_SQL}, actor_user_id, actor_label, organisation_id, action, outcome,
    subject_type, subject_id, correlation_id::text, detail::text FROM audit_auditevent"""  # noqa: S608 - constants


class SealFacts(NamedTuple):
    """What a seal says, its own hash aside. `digests` are those of `event_ids`, one after another."""

    number: int
    day: date
    sealed_at: datetime
    event_ids: Sequence[int]
    digests: bytes
    total: int
    settled: int
    last_id: int
    previous: bytes


def digest_of(row: Sequence[int | str | None]) -> bytes:
    """SHA-256 of an EventRow's columns."""
    return sha256(orjson.dumps([VERSION, *row])).digest()


def hash_of(seal: SealFacts) -> bytes:
    """SHA-256 over everything that the seal says, the hash of the seal before it included."""
    told = [
        VERSION,
        seal.number,
        seal.day.isoformat(),
        as_text(seal.sealed_at),
        list(seal.event_ids),
        seal.digests.hex(),
        seal.total,
        seal.settled,
        seal.last_id,
        seal.previous.hex(),
    ]
    return sha256(orjson.dumps(told)).digest()


def split(digests: bytes) -> list[bytes]:
    return [digests[start : start + HASH_LENGTH] for start in range(0, len(digests), HASH_LENGTH)]


def as_text(moment: datetime) -> str:
    """As AT_SQL writes it: texts of this form are in the order of time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


# -- sealing

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
