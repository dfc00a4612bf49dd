"""A claim whose worker is gone, and one whose worker is busy (standard section 5)."""

from uuid import UUID

import psycopg

from bars_portal.exchange.inbound import lock_of
from tests.live.conftest import TakeSlot
from tests.live.messages import own_booking
from tests.live.partner import Partner, assert_ids_echoed, new_ids, outcome_of
from tests.stack import Stack


def test_while_the_first_one_runs_it_is_too_early_and_then_it_is_taken_over(
    stack: Stack, direct: Partner, take_slot: TakeSlot
) -> None:
    ids, message = new_ids(), own_booking(take_slot())

    # As a living worker holds its claim, until its connection is gone.
    with psycopg.connect(stack.environment["DATABASE_URL"]) as worker:
        worker.execute("SELECT pg_advisory_xact_lock(%s)", [lock_of(UUID(ids[0]))])
        early = direct.post(message, ids=ids)

    assert outcome_of(early) == (425, "REC_TOO_EARLY", "duplicate")
    assert_ids_echoed(early)
    assert direct.post(message, ids=ids).status_code == 200


def test_a_failed_message_is_judged_afresh(direct: Partner, take_slot: TakeSlot) -> None:
    slot, ids = take_slot(), new_ids()
    rival, message = own_booking(slot), own_booking(slot)
    assert direct.post(rival).status_code == 200

    for _ in range(2):
        assert outcome_of(direct.post(message, ids=ids)) == (409, "REC_CONFLICT", "conflict")
    free = own_booking(take_slot())
    assert direct.post(free, ids=ids).status_code == 200
    assert outcome_of(direct.post(free, ids=ids)) == (409, "REC_CONFLICT", "duplicate")
