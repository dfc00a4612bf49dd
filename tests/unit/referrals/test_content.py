"""What a clinician states: it survives storage, and what is wrong is named by its field alone."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from pydantic import ValidationError

from bars_portal.exchange.fhir.codes import FlagCategory, LocationType, UseCase
from referrals.cases.codes import Concept
from referrals.parts.applications import Need, Part, needs_of
from referrals.parts.assessment import Assessment, Stage
from referrals.parts.content import (
    ContentInvalid,
    RequestContent,
    check_parts,
    content_from_json,
    content_to_json,
)
from referrals.parts.flags import Flag
from referrals.parts.places import Place
from referrals.parts.problems import Task
from tests.factories.contents import contents, make_content
from tests.profiles import examples

SECRET = "Ravensworth-said-this"


@given(contents())
@settings(max_examples=examples(20, thorough=200), deadline=None)
def test_stored_and_read_back_it_is_the_same(content: RequestContent) -> None:
    check_parts(content)
    assert content_from_json(content_to_json(content)) == content


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("assessment", "priority"), SECRET, "assessment.priority"),
        (("assessment", "narrative"), SECRET + "\x00", "assessment.narrative"),
        (("places", 0, "uprn"), SECRET, "places.0.uprn"),
        (("places", 0, "position", "latitude"), "91", "places.0.position.latitude"),
        (("time_frame", "start"), "2026-11-21T09:00:00", "time_frame.start"),
        (("flags", 0, "concept", "code"), SECRET, "flags.0"),
        (("booking_ids",), [SECRET + "/1"], "booking_ids.0"),
        (("use_case",), SECRET, "use_case"),
    ],
)
def test_an_error_names_the_field_and_never_the_value(
    path: tuple[Any, ...], value: object, field: str
) -> None:
    stored: Any = content_to_json(make_content(UseCase.A3T1))
    inner = stored
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    with pytest.raises(ContentInvalid) as raised:
        content_from_json(stored)
    assert raised.value.fields == (field,)
    assert SECRET not in str(raised.value)
    assert raised.value.__context__ is None, "the library's error holds what was stated"


def test_an_error_while_it_is_typed_hides_the_value_too() -> None:
    with pytest.raises(ValidationError) as raised:
        Place(uprn=SECRET)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Concept(),
        lambda: Concept(system="http://snomed.info/sct"),
        lambda: Concept(code="1"),
        lambda: Place(name="Somewhere"),
        lambda: Place(eastings="430123"),
        lambda: Flag(FlagCategory.SAFEGUARDING, Concept("http://snomed.info/sct", "1")),
        lambda: Flag(FlagCategory.SCENE_SAFETY, Concept(FlagCategory.SCENE_SAFETY.system, "SS")),
        lambda: make_content(UseCase.A4T1, time_frame={"start": datetime(2026, 1, 1)}),  # noqa: DTZ001
    ],
    ids=[
        "nothing",
        "no-code",
        "no-system",
        "nowhere",
        "half-a-grid",
        "foreign-code",
        "unknown-code",
        "naive",
    ],
)
def test_what_cannot_be_stated(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        wrong()


@pytest.mark.parametrize("use_case", UseCase, ids=str)
def test_a_full_request_has_all_that_is_allowed(use_case: UseCase) -> None:
    check_parts(make_content(use_case))


@pytest.mark.parametrize("use_case", UseCase, ids=str)
def test_an_empty_request_lacks_what_is_required(use_case: UseCase) -> None:
    required = {part.value for part, need in needs_of(use_case).items() if need is Need.REQUIRED}
    with pytest.raises(ContentInvalid) as raised:
        check_parts(RequestContent(use_case=use_case))
    assert set(raised.value.fields) == required != set()


@pytest.mark.parametrize("use_case", [UseCase.A6T1, UseCase.A6T2, UseCase.A6T3])
def test_what_triage_came_to_is_told_once_the_call_has_ended(use_case: UseCase) -> None:
    bare = make_content(use_case, assessment=Assessment())
    check_parts(replace(bare, stage=Stage.FIRST_ALERT))
    for stage in (Stage.TRIAGED, Stage.COMPLETE):
        with pytest.raises(ContentInvalid) as raised:
            check_parts(replace(bare, stage=stage))
        assert set(raised.value.fields) == {Part.OUTCOMES, Part.NARRATIVE, Part.PRIORITY}
        check_parts(replace(make_content(use_case), stage=stage))


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (make_content(UseCase.A4T1, condition=make_content(UseCase.A5T1).condition), Part.CONDITION),
        (
            make_content(UseCase.A4T1, rejected_services=make_content().rejected_services),
            Part.REJECTED_SERVICES,
        ),
        (make_content(UseCase.A1T1, places=make_content(UseCase.A4T1).places), Part.INCIDENT),
        (make_content(UseCase.A4T1, places=make_content(UseCase.A4T1).places * 2), Part.INCIDENT),
        (make_content(UseCase.A4T1, places=make_content(UseCase.A6T1).places), Part.OTHER_PLACES),
        (make_content(UseCase.A5T1, flags=make_content(UseCase.A4T1).flags), Part.SCENE_SAFETY),
        (make_content(UseCase.A6T1, help_asked="One vehicle"), Part.HELP_ASKED),
    ],
    ids=["condition", "rejected", "place", "two-incidents", "second-place", "scene", "help"],
)
def test_what_has_no_place_in_a_use_case(content: RequestContent, field: Part) -> None:
    with pytest.raises(ContentInvalid) as raised:
        check_parts(content)
    assert raised.value.fields == (field.value,)


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (make_content(UseCase.A4T1, flags=()), Part.SCENE_SAFETY),
        (make_content(UseCase.A6T1, places=(Place(address_lines=("1 Row",), town="Leeds"),)), Part.INCIDENT),
        (make_content(UseCase.A5T1, task=Task(Concept(text="Advice on medicines"))), Part.TASK),
        (make_content(UseCase.A5T1, task=Task(Concept("https://dmd.nhs.uk/", "1", "A"))), Part.TASK),
        (make_content(UseCase.A6T2, help_asked=""), Part.HELP_ASKED),
    ],
    ids=["scene", "no-postcode", "task-in-words", "task-of-another-system", "help"],
)
def test_what_a_use_case_cannot_do_without(content: RequestContent, field: Part) -> None:
    with pytest.raises(ContentInvalid) as raised:
        check_parts(content)
    assert raised.value.fields == (field.value,)


def test_a_validation_has_room_for_one_place_only() -> None:
    """Its MessageDefinition asks for one Location, and knows no questionnaires, Condition or Task."""
    needs = needs_of(UseCase.A4T1)
    absent = (Part.OTHER_PLACES, Part.CONDITION, Part.TASK, Part.NATURE_OF_CALL, Part.PRE_TRIAGE, Part.NOTES)
    assert {needs[part] for part in absent} == {Need.ABSENT}
    assert needs[Part.INCIDENT] is needs[Part.BREACH_TIME] is Need.REQUIRED


def test_everything_has_words() -> None:
    assert all(part.label for part in Part)
    assert all(each.type is LocationType.INCIDENT for each in make_content(UseCase.A4T1).places)
