"""Many senders, one slot: exactly one has it, the others hear a conflict (real PostgreSQL, real threads)."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection

from bars_portal.correspondence.states import Direction
from bookings.models import Booking, Slot, SlotStatus
from bookings.states import BookingStatus
from tests.factories.bookings import make_slot
from tests.integration.bookings.official import CANCELLED, NEW, Bundle, adapted, example, issue, send

SENDERS = 16


def at_once(bundles: list[Bundle]) -> Counter[tuple[int, str]]:
    start = Barrier(len(bundles))

    def one(bundle: Bundle) -> tuple[int, str]:
        try:
            start.wait(timeout=10)
            reply = send(bundle)
            return (200, "") if reply.status == 200 else issue(reply)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(bundles)) as pool:
        return Counter(pool.map(one, bundles))


@pytest.mark.django_db(transaction=True)
def test_sixteen_senders_and_one_slot(shared_dir: Path) -> None:
    slot = make_slot()
    bundle = adapted(example(shared_dir, NEW), slot)
    outcomes = at_once([{**bundle, "id": str(uuid4())} for _ in range(SENDERS)])
    assert outcomes == {(200, ""): 1, (409, "conflict"): SENDERS - 1}
    assert Booking.objects.count() == 1
    slot.refresh_from_db()
    assert slot.status == SlotStatus.BUSY


@pytest.mark.django_db(transaction=True)
def test_eight_cancels_at_once_end_it_once(shared_dir: Path) -> None:
    slot = make_slot()
    send(adapted(example(shared_dir, NEW), slot))
    bundle = adapted(example(shared_dir, CANCELLED), slot)
    outcomes = at_once([{**bundle, "id": str(uuid4())} for _ in range(8)])
    assert outcomes[200, ""] == 1
    assert {status for status, _ in outcomes} <= {200, 409, 422}
    booking = Booking.objects.get(direction=Direction.RECEIVED)
    assert (booking.status, booking.changes.count()) == (BookingStatus.CANCELLED, 2)
    assert Slot.objects.get().status == SlotStatus.FREE
