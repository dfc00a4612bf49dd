"""Content as forms and back: nothing that was stated is lost, whatever the use case."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings

from bars_portal.exchange.fhir.codes import FlagCategory, UseCase
from bars_portal.exchange.fhir.rules.case import Where, is_told_once
from referrals.forms.base import FormContext
from referrals.forms.safety import TOO_MANY
from referrals.forms.steps import content_of, read_step, steps_of, typed_of
from referrals.parts.applications import application_of
from referrals.parts.base import TimeFrame
from referrals.parts.content import ContentInvalid, RequestContent, check_parts
from referrals.parts.places import Place, Position
from tests.factories.contents import contents, make_content
from tests.profiles import examples

OPENED = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def through_the_forms(content: RequestContent) -> tuple[RequestContent, list[str]]:
    asked = FormContext(content.use_case, OPENED)
    typed = typed_of(content, asked)
    steps = [read_step(step, typed.get(step.slug), asked) for step in steps_of(asked)]
    problems = [f"{each.step.slug}: {item.text}" for each in steps for item in each.problems]
    return content_of(content.use_case, steps), problems


def as_forms_say(content: RequestContent) -> RequestContent:
    """Bookings are linked by the case, not typed; names have one line; a complaint began in the past.

    999 asks from now on.
    """
    condition = content.condition
    if condition is not None and condition.onset is not None:
        condition = replace(condition, onset=min(condition.onset, OPENED.date()))
    rejected = (replace(each, name=each.name.replace("\n", " ")) for each in content.rejected_services)
    frame = content.time_frame
    if frame is not None and application_of(content.use_case).starts_now:
        frame = TimeFrame(OPENED, frame.end and OPENED + (frame.end - frame.start))
    return replace(
        content, booking_ids=(), condition=condition, rejected_services=tuple(rejected), time_frame=frame
    )


@settings(max_examples=examples(15, thorough=200), deadline=None)
@given(contents())
def test_what_was_stated_comes_back_from_the_forms(content: RequestContent) -> None:
    typed = as_forms_say(content)
    read, problems = through_the_forms(typed)
    assert not problems
    assert read == typed


@pytest.mark.parametrize("use_case", UseCase, ids=str)
def test_a_full_request_of_each_use_case(use_case: UseCase) -> None:
    content = as_forms_say(make_content(use_case))
    read, problems = through_the_forms(content)
    assert not problems
    assert _displayed(read) == _displayed(content)


def _displayed(content: RequestContent) -> Any:
    """The codes of scene safety always get their display."""
    return replace(
        content, flags=tuple(each for each in content.flags if each.category != FlagCategory.SCENE_SAFETY)
    )


WAYS: dict[Where, dict[str, str]] = {
    Where.UPRN: {"uprn": "8755622"},
    Where.ADDRESS: {"postcode": "LS1 6PT"},
    Where.GRID: {"eastings": "430123", "northings": "433456"},
    Where.WHAT3WORDS: {"what3words": "filled.count.soap"},
    Where.POSITION: {"latitude": "53.8", "longitude": "-1.5"},
}


@pytest.mark.parametrize("use_case", ["a4t1", "a3t1"])
@pytest.mark.parametrize(
    "ways",
    [set(some) for count in range(1, 6) for some in combinations(WAYS, count)],
    ids=lambda ways: ", ".join(sorted(ways)),
)
def test_a_validation_is_asked_with_one_place(ways: set[Where], use_case: str) -> None:
    """What we send obeys what we ask of others: the form says so, and so does whoever sends it."""
    asked = FormContext(UseCase(use_case), OPENED)
    (step,) = (each for each in steps_of(asked) if each.slug == "places")
    typed = {f"row-0-{name}": value for way in ways for name, value in WAYS[way].items()}
    read = read_step(step, {"rows": "1", **typed}, asked)
    is_clear = use_case == "a3t1" or is_told_once(ways)
    assert [item.text for item in read.problems] == ([] if is_clear else [TOO_MANY])
    position = Position(Decimal("53.8"), Decimal("-1.5")) if Where.POSITION in ways else None
    stated: dict[str, Any] = {
        name: text for way in ways - {Where.POSITION} for name, text in WAYS[way].items()
    }
    content = make_content(UseCase(use_case), places=(Place(position=position, **stated),))
    with nullcontext() if is_clear else pytest.raises(ContentInvalid, match="incident"):
        check_parts(content)
