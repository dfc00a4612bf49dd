"""The table of transitions: complete, reachable, and drawn in the docs as it is."""

from itertools import product
from pathlib import Path

import pytest

from bars_portal.correspondence.states import Direction, TransitionRefused
from bookings.management.commands.draw_states import as_markdown
from bookings.states import TRANSITIONS, BookingEvent, BookingStatus, next_status
from tests.rows import each_row

ROOT = Path(__file__).resolve().parents[3]
STATUSES = (None, *BookingStatus)
RECEIVED_ONLY = {BookingStatus.ENTERED_IN_ERROR, BookingStatus.ATTENDED, BookingStatus.DID_NOT_ATTEND}


@each_row(product(Direction, STATUSES, BookingEvent), lambda *row: "-".join(map(str, row)))
def test_every_combination_is_a_row_or_refused(
    direction: Direction, status: BookingStatus | None, event: BookingEvent
) -> None:
    expected = TRANSITIONS.get((direction, status, event))
    if expected is not None:
        assert next_status(direction, status, event) is expected
        return
    with pytest.raises(TransitionRefused):
        next_status(direction, status, event)


def test_every_event_has_a_meaning_somewhere() -> None:
    assert {event for _, _, event in TRANSITIONS} == set(BookingEvent)


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        (Direction.SENT, set(BookingStatus) - RECEIVED_ONLY),
        (Direction.RECEIVED, {BookingStatus.BOOKED, BookingStatus.CANCELLED, *RECEIVED_ONLY}),
    ],
)
def test_reachable_statuses(direction: Direction, expected: set[BookingStatus]) -> None:
    rows = [(before, after) for (side, before, _), after in TRANSITIONS.items() if side is direction]
    reached: set[BookingStatus | None] = {None}
    while new := {after for before, after in rows if before in reached} - reached:
        reached |= new
    assert reached - {None} == expected


def test_what_is_over_stays_over() -> None:
    over = {BookingStatus.CANCELLED, BookingStatus.REFUSED, BookingStatus.ENTERED_IN_ERROR}
    steps = {row: after for row, after in TRANSITIONS.items() if row[1] in over}
    # That nobody wants a new one any more changes nothing of the old one.
    ending = (Direction.SENT, BookingStatus.CANCELLED, BookingEvent.END_REBOOKING)
    assert steps == {ending: BookingStatus.CANCELLED}


def test_every_status_has_words() -> None:
    assert all(status.label for status in BookingStatus)


def test_the_docs_are_drawn_from_the_table() -> None:
    """Run `python manage.py draw_states` after changing the table."""
    assert (ROOT / "docs" / "states.md").read_text(encoding="utf-8") == as_markdown()
