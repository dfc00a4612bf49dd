"""Which of two messages is newer: by our version numbers, then by the sender's own stamps."""

from datetime import UTC, datetime, timedelta

import pytest

from bookings.models import Booking
from referrals.cases.history import write_version
from referrals.cases.models import Referral, ValidationCase
from tests.integration.exchange.calling import fresh
from tests.integration.exchange_messages.test_conversations import (
    CASES,
    FOLLOWERS,
    LATER,
    REQUEST,
    STAMP,
    C,
    as_told,
    stamped,
    told,
)
from tests.integration.exchange_messages.world import World
from tests.unit.exchange_fhir.changes import (
    BOOKINGS,
    on_focus,
)
from tests.unit.exchange_fhir.factory import Change, changed
from tests.unit.exchange_fhir.samples import SAMPLES

pytestmark = pytest.mark.django_db


def in_minutes(minutes: float) -> Change:
    """Stamped by a clock that is so far ahead of ours."""
    return stamped((datetime.now(UTC) + timedelta(minutes=minutes)).isoformat())


@pytest.mark.parametrize(
    ("before", "after", "is_stale"),
    [
        *((4, 0, False), (4, -0.5, False), (4, -1.5, True)),
        *((6, 0, True), (6, 5.5, True), (-10, -10.02, True), (-10, -10, False)),
    ],
)
@pytest.mark.parametrize("key", ["booking-cancelled", "referral-revoked", "validation-update"])
def test_a_clock_may_be_ahead_of_ours(
    world: World, key: str, before: float, after: float, is_stale: bool
) -> None:
    """By five minutes: then what ends it may be stamped so much earlier, by a clock that is right.

    Updates may come out of order, so their stamps are compared exactly.
    """
    is_stale = after < before if key == "validation-update" else is_stale
    now = datetime.now(UTC)
    earlier, later = (stamped((now + timedelta(minutes=each)).isoformat()) for each in (before, after))
    world.prepare(key, earlier)
    message = changed(fresh(SAMPLES[key]()), later)
    if is_stale:
        assert told(world, message)[0] == as_told(C.CONFLICT)
    else:
        world.take(message)


def test_a_responders_stamps_are_compared_exactly(world: World) -> None:
    world.prepare("validation-interim")
    for key, ahead, expected in (
        ("validation-interim", 4, 200),
        ("validation-full", 3.9, 409),
        ("validation-full", 8, 200),
        ("validation-full", 7, 409),
    ):
        answer = world.post(changed(fresh(SAMPLES[key]()), in_minutes(ahead)))
        assert answer.status_code == expected, (key, ahead)


@pytest.mark.parametrize("key", sorted(FOLLOWERS))
def test_who_works_from_our_version_has_the_newest(world: World, key: str) -> None:
    """Whatever the clocks say: the focus says our id and our version number."""
    world.prepare(key, LATER)
    model = Booking if key in BOOKINGS else Referral if key.startswith("referral") else ValidationCase
    ours = str(model._default_manager.get(direction="received").pk)
    read = {"versionId": "1", "lastUpdated": "2026-01-01T10:00:00+00:00"}
    message = changed(SAMPLES[key](), LATER, on_focus("meta", read))
    assert told(world, fresh(message))[0] == as_told(C.CONFLICT)
    world.take(fresh(changed(message, on_focus("id", ours))))


@pytest.mark.parametrize("key", sorted(CASES))
def test_what_we_changed_ourselves_is_told_by_our_version_numbers(world: World, key: str) -> None:
    world.prepare(key)
    case = (Referral if key.startswith("referral") else ValidationCase).objects.get(direction="received")
    case.version = 2
    case.save(update_fields=["version"])
    write_version(case=case, bundle_id="", message_id=None, now=datetime.now(UTC))
    message = changed(SAMPLES[key](), on_focus("id", str(case.pk)))
    old, new = (on_focus("meta", {"versionId": each, "lastUpdated": STAMP}) for each in "12")
    found, path = told(world, fresh(changed(message, old)))
    assert (found, path) == (as_told(C.CONFLICT), f"{REQUEST}.meta.versionId")
    # Who names no version knows what they last sent.
    found, path = told(world, changed(fresh(SAMPLES[key]()), LATER))
    assert (found, path) == (as_told(C.CONFLICT), f"{REQUEST}.meta.versionId")
    world.take(fresh(changed(message, new)))
