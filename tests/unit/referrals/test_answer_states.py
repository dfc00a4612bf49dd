"""The table of our answers: complete, reachable; and which decision is told by which message."""

from collections.abc import Mapping
from itertools import product

import pytest

from bars_portal.correspondence.states import Direction, TransitionRefused
from bars_portal.exchange.fhir.rules import table
from referrals.cases.codes import CategoryChange, compare
from referrals.cases.states import (
    RESPONSE_TRANSITIONS,
    TROUBLED,
    CaseEvent,
    CaseStatus,
    Category,
    ReplyKind,
    ResponseEvent,
    ResponseState,
    next_response_state,
    next_status,
)
from referrals.parts.applications import application_for
from referrals.responding.delivery import MESSAGE_KEYS

STATES = (None, *ResponseState)
DECISIONS = ("accept", "start", "reject", "complete", "revise", "record-non-attendance")


def test_every_combination_is_a_row_or_refused() -> None:
    for state, event in product(STATES, ResponseEvent):
        if (state, event) in RESPONSE_TRANSITIONS:
            assert next_response_state(state, event) is RESPONSE_TRANSITIONS[state, event]
        else:
            with pytest.raises(TransitionRefused):
                next_response_state(state, event)


def test_every_state_is_reached_and_every_event_used() -> None:
    assert set(RESPONSE_TRANSITIONS.values()) == set(ResponseState)
    assert {event for _, event in RESPONSE_TRANSITIONS} == set(ResponseEvent)


def test_what_was_delivered_stays_delivered() -> None:
    assert not [state for state, _ in RESPONSE_TRANSITIONS if state is ResponseState.DELIVERED]
    assert {ResponseState.SENDING, ResponseState.DELIVERED} == set(ResponseState) - TROUBLED


@pytest.mark.parametrize("state", ResponseState)
def test_people_read_words(state: ResponseState) -> None:
    assert state.label[0].isupper()
    assert state.value not in state.label


@pytest.mark.parametrize(
    ("category", "ambulance", "told"),
    [
        (Category.VALIDATION, False, {"start": "interim", "reject": "rejected", "complete": "full"}),
        (Category.REFERRAL, False, {"record-non-attendance": "did-not-attend"}),
        (
            Category.REFERRAL,
            True,
            {"accept": "cad-status", "start": "cad-status", "complete": "cad-status"},
        ),
    ],
    ids=["validation", "referral", "ambulance"],
)
def test_which_decision_is_told(category: Category, ambulance: bool, told: dict[str, str]) -> None:
    """Standard section 6: no other combination has a response."""
    revised = {"revise": "full"} if category is Category.VALIDATION else {}
    found = {each: responses_of(category, ambulance).get(CaseEvent(each)) for each in DECISIONS}
    assert {each: kind for each, kind in found.items() if kind} == told | revised


@pytest.mark.parametrize("kind", ReplyKind)
def test_every_kind_has_a_row_of_the_workflow_table(kind: ReplyKind) -> None:
    row = table.row(MESSAGE_KEYS[kind])
    assert row.event == "servicerequest-response"


@pytest.mark.parametrize("category", Category)
def test_every_decision_that_is_told_is_possible(category: Category) -> None:
    for ambulance, event in product((False, True), map(CaseEvent, DECISIONS)):
        if event not in responses_of(category, ambulance):
            continue
        befores = ("received", "accepted", "in-progress", "completed")
        assert any(possible(category, before, event) for before in befores)


@pytest.mark.parametrize(("use_case", "is_refused"), [("a6t1", False), ("a6t2", True), ("a6t3", True)])
def test_ambulance_controls_refuse_help_alone(use_case: str, is_refused: bool) -> None:
    """Call assist and mutual aid; a call from out of area is taken."""
    responses = application_for(use_case, Category.REFERRAL).responses
    assert (responses.get(CaseEvent.REJECT) is ReplyKind.CAD_REJECTION) is is_refused


def responses_of(category: Category, ambulance: bool) -> Mapping[CaseEvent, ReplyKind]:
    """Of a case of this category; the category counts where the use case is of another."""
    return application_for("a6t1" if ambulance else "a4t1", category).responses


def possible(category: Category, before: str, event: CaseEvent) -> bool:
    try:
        next_status(category, Direction.RECEIVED, CaseStatus(before), event)
    except TransitionRefused:
        return False
    return True


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ("C3", "C1", CategoryChange.RAISED),
        ("C3", "HCP3", CategoryChange.SAME),
        ("urgent", "C5", CategoryChange.LOWERED),
        ("", "C5", CategoryChange.NOT_STATED),
        ("C3", "X", CategoryChange.NOT_STATED),
    ],
)
def test_what_a_validation_did_to_the_category(before: str, after: str, change: CategoryChange) -> None:
    assert compare(before, after) is change
