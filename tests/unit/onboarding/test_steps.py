"""How steps stand: whatever was done in whatever order, nothing stands on what does not."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.credentials.environments import ENVIRONMENTS
from bars_portal.onboarding.steps import (
    BY_NAME,
    STEPS,
    Evidence,
    Noted,
    RecordState,
    State,
    StepName,
    basis_of,
    next_step,
    standings,
    steps_of,
)

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
INT = ENVIRONMENTS["int"]


@dataclass
class Note:
    state: str = RecordState.DONE.value
    at: datetime = NOW
    evidence: Evidence = field(default_factory=dict)
    basis: str = ""
    words: str = ""
    expires_at: datetime | None = None


def do(notes: dict[str, Noted], step: StepName, **evidence: Any) -> None:
    """As the services note it, where the step is open."""
    if standings(INT, notes, now=NOW)[step].state is not State.BLOCKED:
        notes[step] = Note(evidence=evidence, basis=basis_of(BY_NAME[step], notes))


def test_each_step_rests_on_earlier_ones_only() -> None:
    for at, step in enumerate(STEPS):
        assert set(step.rests_on) <= {each.name for each in STEPS[:at]}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [("sandbox", 1), ("dev", 5), ("int", 14), ("prod", 14), ("simulated-int", 14)],
)
def test_environments_have_the_steps_that_they_need(environment: str, expected: int) -> None:
    assert len(steps_of(ENVIRONMENTS[environment])) == expected


def test_a_certificate_that_ends_is_told_by_its_end() -> None:
    notes: dict[str, Noted] = {}
    for step in (StepName.FACTS, StepName.NAME, StepName.REQUEST, StepName.CERTIFICATE):
        do(notes, step)
    for days, state in ((90, State.DONE), (30, State.EXPIRES), (-1, State.BROKEN)):
        notes[StepName.CERTIFICATE].expires_at = NOW + timedelta(days=days)
        found = standings(INT, notes, now=NOW)
        assert found[StepName.CERTIFICATE].state is state
        assert (found[StepName.BUNDLE].state is State.BLOCKED) == (state is State.BROKEN)


def test_the_next_step_passes_over_what_waits_and_what_is_optional() -> None:
    notes: dict[str, Noted] = {}
    for step in (StepName.FACTS, StepName.KEY, StepName.REGISTRATION):
        do(notes, step)
    notes[StepName.REGISTRATION].state = RecordState.WAITING.value
    found = next_step(standings(INT, notes, now=NOW))
    assert found is not None
    assert found.step.name is StepName.NAME


@given(st.lists(st.tuples(st.sampled_from(list(StepName)), st.integers(0, 2)), max_size=40))
def test_nothing_stands_on_what_does_not_stand(done: list[tuple[StepName, int]]) -> None:
    notes: dict[str, Noted] = {}
    for step, value in done:
        do(notes, step, value=value)
    found = standings(INT, notes, now=NOW)
    for each in found.values():
        if each.stands:
            assert all(found[name].stands for name in each.step.rests_on)
            assert each.noted is not None
            assert each.noted.basis == basis_of(each.step, notes)
