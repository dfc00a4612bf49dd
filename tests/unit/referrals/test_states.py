"""The tables of transitions: complete, reachable, and drawn in the docs as they are."""

from itertools import product
from pathlib import Path

import pytest

from bars_portal.correspondence.states import Direction, TransitionRefused
from referrals.cases.states import (
    CURRENT,
    OPEN,
    TRANSITIONS,
    CaseEvent,
    CaseStatus,
    Category,
    ReplyKind,
    next_status,
)
from referrals.management.commands.draw_referral_states import as_markdown

ROOT = Path(__file__).resolve().parents[3]
STATUSES = (None, *CaseStatus)
SIDES = list(product(Category, Direction))
HEARD = {event for event in CaseEvent if event.value.startswith("hear-")}
RECEIVED = {
    *(CaseStatus.RECEIVED, CaseStatus.IN_PROGRESS, CaseStatus.COMPLETED, CaseStatus.REJECTED),
    *(CaseStatus.REVOKED, CaseStatus.ENTERED_IN_ERROR),
}
SENT = {
    *(CaseStatus.REQUESTED, CaseStatus.SENT, CaseStatus.REFUSED, CaseStatus.UNKNOWN),
    *(CaseStatus.REVOKING, CaseStatus.REVOKE_UNKNOWN, CaseStatus.REVOKED, CaseStatus.ENTERED_IN_ERROR),
    *(CaseStatus.IN_PROGRESS, CaseStatus.COMPLETED, CaseStatus.REJECTED),
}
REFERRED = {CaseStatus.ACCEPTED, CaseStatus.DID_NOT_ATTEND}


@pytest.mark.parametrize(("category", "direction"), SIDES)
def test_every_combination_is_a_row_or_refused(category: Category, direction: Direction) -> None:
    table = TRANSITIONS[category, direction]
    for status, event in product(STATUSES, CaseEvent):
        expected = table.get((status, event))
        if expected is not None:
            assert next_status(category, direction, status, event) is expected
            continue
        with pytest.raises(TransitionRefused):
            next_status(category, direction, status, event)


def test_every_event_has_a_meaning_somewhere() -> None:
    assert {event for table in TRANSITIONS.values() for _, event in table} == set(CaseEvent)


@pytest.mark.parametrize(
    ("category", "direction", "expected"),
    [
        (Category.REFERRAL, Direction.RECEIVED, RECEIVED | REFERRED),
        (Category.REFERRAL, Direction.SENT, SENT | REFERRED),
        (Category.VALIDATION, Direction.RECEIVED, RECEIVED),
        (Category.VALIDATION, Direction.SENT, SENT),
    ],
)
def test_reachable_statuses(category: Category, direction: Direction, expected: set[CaseStatus]) -> None:
    rows = [(before, after) for (before, _), after in TRANSITIONS[category, direction].items()]
    reached: set[CaseStatus | None] = {None}
    while new := {after for before, after in rows if before in reached} - reached:
        reached |= new
    assert reached - {None} == expected


@pytest.mark.parametrize("category", Category)
def test_what_we_received_stays_over(category: Category) -> None:
    """A corrected outcome of a validation is the one event, and leaves it completed."""
    over = set(CaseStatus) - OPEN
    rows = TRANSITIONS[category, Direction.RECEIVED].items()
    moves = {(before, event): after for (before, event), after in rows if before in over}
    corrected = {(CaseStatus.COMPLETED, CaseEvent.REVISE): CaseStatus.COMPLETED}
    assert moves == (corrected if category is Category.VALIDATION else {})


@pytest.mark.parametrize("category", Category)
def test_no_reply_is_refused_whenever_it_comes(category: Category) -> None:
    """A reply is evidence: the table has an answer to every one, in every status."""
    table = TRANSITIONS[category, Direction.SENT]
    statuses = {before for before, _ in table} - {None}
    events = {event for _, event in table} & (HEARD | {CaseEvent.REFUSE_REPLY})
    answered = {(before, event) for before, event in table if before and event in events}
    assert answered == set(product(statuses, events))


# What the synchronous answer to a message says, by where the case stood when it went out.
ANSWERS = {
    CaseStatus.REQUESTED: (CaseEvent.CONFIRM, CaseEvent.REFUSE, CaseEvent.LOSE),
    CaseStatus.REVOKING: (
        *(CaseEvent.CONFIRM_REVOKE, CaseEvent.CONFIRM_IN_ERROR),
        *(CaseEvent.REFUSE_REVOKE, CaseEvent.LOSE_REVOKE),
    ),
    CaseStatus.SENT: (CaseEvent.CONFIRM_UPDATE, CaseEvent.REFUSE_UPDATE, CaseEvent.LOSE_UPDATE),
}


@pytest.mark.parametrize("category", Category)
def test_a_reply_and_the_answer_in_either_order_come_to_the_same(category: Category) -> None:
    """But for what only tells how far it was when a revoke is refused: that the service picks by history."""
    table = TRANSITIONS[category, Direction.SENT]
    heard = {event for _, event in table} & HEARD
    middle = {CaseEvent.HEAR_STARTED, CaseEvent.HEAR_ACCEPTED}
    for before, answers in ANSWERS.items():
        for answer, reply in product(answers, heard):
            if before is CaseStatus.REVOKING and answer is CaseEvent.REFUSE_REVOKE and reply in middle:
                continue
            answer_first = table[table[before, answer], reply]
            reply_first = table[table[before, reply], answer]
            assert answer_first is reply_first, (before, answer, reply)


@pytest.mark.parametrize("category", Category)
def test_whatever_was_heard_the_answer_still_has_a_row(category: Category) -> None:
    """Settling a message never fails, however many replies were quicker."""
    table = TRANSITIONS[category, Direction.SENT]
    heard = {event for _, event in table} & HEARD
    for before, answers in ANSWERS.items():
        reached = {before}
        while new := {table[each] for each in product(reached, heard)} - reached:
            reached |= new
        assert set(product(reached, answers)) <= set(table)


@pytest.mark.parametrize("category", Category)
def test_an_outcome_is_not_taken_back_by_a_late_reply(category: Category) -> None:
    table = TRANSITIONS[category, Direction.SENT]
    late = {CaseEvent.HEAR_ACCEPTED, CaseEvent.HEAR_STARTED, CaseEvent.HEAR_REJECTED}
    for (before, event), after in table.items():
        if before in (CaseStatus.COMPLETED, CaseStatus.DID_NOT_ATTEND) and event in late:
            assert after is before


@pytest.mark.parametrize("category", Category)
def test_a_refused_reply_changes_nothing(category: Category) -> None:
    table = TRANSITIONS[category, Direction.SENT]
    assert all(before is after for (before, event), after in table.items() if event is CaseEvent.REFUSE_REPLY)


def test_only_what_the_receiver_is_known_to_hold_may_be_changed() -> None:
    asks = (CaseEvent.REQUEST_UPDATE, CaseEvent.REQUEST_REVOKE, CaseEvent.FIND_REVOKED)
    for category in Category:
        table = TRANSITIONS[category, Direction.SENT]
        assert {before for before, event in table if event in asks} < CURRENT - {CaseStatus.REQUESTED}


def test_everything_has_words() -> None:
    assert all(status.label for status in CaseStatus)
    assert all(kind.label for kind in ReplyKind)


def test_the_docs_are_drawn_from_the_tables() -> None:
    """Run `python manage.py draw_referral_states` after changing a table."""
    drawn = (ROOT / "docs" / "states-referrals.md").read_text(encoding="utf-8")
    assert drawn == as_markdown()
