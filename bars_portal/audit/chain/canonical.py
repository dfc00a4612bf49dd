"""The bytes of a row and of a seal, from which the chain's hashes are made. Pure.

Version 1 is a JSON array without blanks, in UTF-8. Rows that are sealed keep their version for good: another
column needs a new version beside this one.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import NamedTuple

import orjson

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
