"""A claim whose worker is gone, and one whose worker is busy (standard section 5)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest

from tests.live.conftest import Query, TakeSlot
from tests.live.messages import own_booking
from tests.live.partner import Partner, assert_ids_echoed, new_ids, outcome_of
from tests.stack import Stack

CLAIM = """
    INSERT INTO exchange_inboundmessage (id, request_id, correlation_id, bundle_id, message_type, service_id,
        source_service_id, sender_ods_code, peer, headers, body, received_at, state, warnings,
        starts_conversation)
    VALUES (%s, %s, %s, '', 'booking-new', '2000099001', '', '', '', '{}', '', %s, 'processing', '[]', true)
"""


@pytest.fixture
def claimed(query: Query) -> tuple[str, str]:
    """Ids of a message that says "processing", as a killed worker leaves it."""
    ids = new_ids()
    query(CLAIM, str(uuid4()), *ids, datetime.now(UTC))
    return ids


@contextmanager
def held(stack: Stack, request_id: str) -> Iterator[None]:
    """As a living worker holds its claim."""
    with psycopg.connect(stack.environment["DATABASE_URL"]) as connection:
        connection.execute(
            "SELECT 1 FROM exchange_inboundmessage WHERE request_id = %s FOR UPDATE", [request_id]
        )
        yield


def test_the_repeat_takes_over_at_once(
    claimed: tuple[str, str], direct: Partner, take_slot: TakeSlot, query: Query
) -> None:
    answer = direct.post(own_booking(take_slot()), ids=claimed)

    assert answer.status_code == 200, answer.text
    states = query("SELECT state FROM exchange_inboundmessage WHERE request_id = %s ORDER BY 1", claimed[0])
    assert states == [("abandoned",), ("accepted",)]


def test_while_the_first_one_runs_it_is_too_early(
    claimed: tuple[str, str], stack: Stack, direct: Partner, take_slot: TakeSlot
) -> None:
    message = own_booking(take_slot())

    with held(stack, claimed[0]):
        early = direct.post(message, ids=claimed)

    assert outcome_of(early) == (425, "REC_TOO_EARLY", "duplicate")
    assert_ids_echoed(early)
    assert direct.post(message, ids=claimed).status_code == 200


def test_a_failed_message_is_judged_afresh(direct: Partner, take_slot: TakeSlot) -> None:
    slot, ids = take_slot(), new_ids()
    rival, message = own_booking(slot), own_booking(slot)
    assert direct.post(rival).status_code == 200

    for _ in range(2):
        assert outcome_of(direct.post(message, ids=ids)) == (409, "REC_CONFLICT", "conflict")
    free = own_booking(take_slot())
    assert direct.post(free, ids=ids).status_code == 200
    assert outcome_of(direct.post(free, ids=ids)) == (409, "REC_CONFLICT", "duplicate")
