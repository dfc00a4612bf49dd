"""The sealer takes what is committed, in whatever order, and nothing under an id that was settled."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection

from bars_portal.audit.actor import SYSTEM
from bars_portal.audit.chain.sealer import _LOCK, BEGINNING, EventRow, seal_batch, seal_trail
from bars_portal.audit.models import AuditEvent, Seal
from bars_portal.audit.services import record

NOW = datetime(2026, 7, 14, 9, 30, tzinfo=UTC)


def happen(at: datetime = NOW) -> int:
    return record(actor=SYSTEM, action="tests.happen", now=at).pk


def sealed() -> list[int]:
    return [event for seal in Seal.objects.all() for event in seal.event_ids]


@contextmanager
def somebody_else() -> Iterator[psycopg.Connection[Any]]:
    """Another connection to the tests' database, in a transaction that is rolled back at the end."""
    given = connection.get_connection_params()
    for ours in ("cursor_factory", "context", "prepare_threshold"):
        given.pop(ours, None)
    with psycopg.connect(**given) as other:
        yield other
        other.rollback()


def write(other: psycopg.Connection[Any]) -> int:
    found = other.execute(
        """INSERT INTO audit_auditevent (at, actor_label, action, outcome, subject_type, subject_id, detail)
        VALUES (%s, 'x', 'tests.happen', 'done', '', '', '{}') RETURNING id""",
        [NOW],
    ).fetchone()
    assert found
    return int(found[0])


def test_the_canonical_form_has_every_column() -> None:
    assert EventRow._fields == tuple(field.attname for field in AuditEvent._meta.concrete_fields)


@pytest.mark.django_db
def test_each_seal_rests_on_the_one_before() -> None:
    assert seal_trail(now=NOW) == 0
    first = [happen(), happen()]
    assert seal_trail(now=NOW) == 2
    second = [happen()]
    assert seal_trail(now=NOW) == 1
    assert seal_trail(now=NOW) == 0
    one, two, closing = Seal.objects.all()
    assert (one.event_ids, two.event_ids) == (first, second)
    assert (bytes(one.previous), bytes(two.previous)) == (BEGINNING, bytes(one.hash))
    assert [each.total for each in (one, two)] == [2, 3]
    assert two.settled >= first[-1]
    assert (closing.event_ids, closing.settled) == ([], second[-1])


@pytest.mark.django_db
def test_a_seal_holds_one_day() -> None:
    for hours in (0, 1, 20, 21):
        happen(NOW + timedelta(hours=hours))
    seal_trail(now=NOW)
    assert [(str(each.day), len(each.event_ids)) for each in Seal.objects.all()] == [
        ("2026-07-14", 2),
        ("2026-07-15", 2),
    ]


@pytest.mark.django_db
def test_a_backlog_is_sealed_in_batches_each_event_once() -> None:
    events = [happen() for _ in range(7)]
    assert seal_trail(now=NOW, batch=3) == 7
    assert sealed() == events


@pytest.mark.django_db(transaction=True)
def test_what_commits_late_is_sealed_later() -> None:
    with somebody_else() as other:
        late = write(other)
        early = happen()
        assert late < early
        assert seal_trail(now=NOW) == 1
        assert seal_trail(now=NOW) == 0
        assert sealed() == [early]
        assert all(seal.settled < late for seal in Seal.objects.all())
        other.commit()
    assert seal_trail(now=NOW) == 1
    assert sealed() == [early, late]


@pytest.mark.django_db(transaction=True)
def test_what_was_rolled_back_is_settled_and_nothing_comes_under_its_id() -> None:
    with somebody_else() as other:
        gone = write(other)
        happen()
        seal_trail(now=NOW)
    # Nothing new: the seal without events says that the chain is settled.
    assert [seal_trail(now=NOW) for _ in range(3)] == [0, 0, 0]
    assert (last := Seal.objects.last()) is not None
    assert (last.event_ids, last.settled) == ([], gone + 1)
    AuditEvent.objects.bulk_create([AuditEvent(id=gone, at=NOW, actor_label="x", action="tests.smuggle")])
    assert seal_trail(now=NOW) == 0
    assert gone not in sealed()


@pytest.mark.django_db(transaction=True)
def test_one_sealer_at_a_time() -> None:
    happen()
    with somebody_else() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        assert seal_batch(now=NOW) is None
        other.execute("SELECT pg_advisory_unlock_all()")
        other.commit()
    assert seal_trail(now=NOW) == 1
