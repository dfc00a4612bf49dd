"""What a received request says comes back as what was stated; whatever was sent, nothing breaks."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import SAFEGUARDING_SYSTEM, FlagCategory, SceneSafety, UseCase
from referrals.cases.codes import Concept
from referrals.forms.base import FormContext
from referrals.forms.steps import BY_SLUG, read_step, typed_of
from referrals.pages.messages import told_otherwise
from referrals.parts.assessment import Assessment, CallTimes, Outcome, OutcomeKind
from referrals.parts.base import SNOMED
from referrals.parts.content import RequestContent, content_from_json, content_to_json
from referrals.parts.flags import Flag, flag_categories, scene_of
from referrals.parts.medication import (
    Allergies,
    Allergy,
    AllergyType,
    Medication,
    Medications,
    Severity,
    Stated,
)
from referrals.parts.observations import BirthSex
from referrals.parts.questionnaires import OWN_NOTE
from referrals.parts.request import carried_content
from tests.factories.contents import contents, make_content
from tests.factories.referrals import NOW
from tests.factories.whole_messages import whole_messages
from tests.profiles import examples
from tests.unit.referrals.built import message

# Of the first request alone.
LEFT: dict[str, Any] = {
    "stage": None,
    "call": CallTimes(),
    "time_frame": None,
    "rejected_services": (),
    "task": None,
    "help_asked": "",
    "nature_of_call": None,
    "pre_triage": None,
    "booking_ids": (),
}


def carried(content: RequestContent, use_case: UseCase | None = None) -> RequestContent:
    return carried_content(MessageBundle(message(content)), use_case or content.use_case)


def expected(content: RequestContent) -> RequestContent:
    """What belongs to the first request stays with it."""
    stated = content.assessment
    return replace(
        content,
        **LEFT,
        consent=RequestContent(use_case=content.use_case).consent,
        assessment=Assessment(stated.narrative, stated.outcomes, stated.priority),
    )


@pytest.mark.parametrize("use_case", list(UseCase), ids=lambda each: each.value)
def test_what_was_stated_goes_onward(use_case: UseCase) -> None:
    content = make_content(use_case)
    began = content.assessment.started_at
    flags = tuple(replace(each, since=each.since or began) for each in content.flags)
    assert carried(content) == replace(expected(content), flags=flags)


@settings(max_examples=examples(20, thorough=200), deadline=None)
@given(contents())
def test_medication_allergies_and_observations_are_never_changed(content: RequestContent) -> None:
    read = carried(content)
    assert (read.medications, read.allergies) == (content.medications, content.allergies)
    assert read.observations == content.observations
    kept = [each for each in content.flags if each.category is not FlagCategory.REJECTED_SERVICES]
    assert [each.concept for each in read.flags] == [each.concept for each in kept]
    assert (read.condition, read.procedures, read.notes) == (
        content.condition,
        content.procedures,
        content.notes,
    )
    assert content_from_json(content_to_json(read)) == read


@pytest.mark.parametrize("use_case", [UseCase.A1T1, UseCase.A4T1, UseCase.A5T1, UseCase.A6T1])
def test_another_use_case_gets_what_it_has_a_place_for(use_case: UseCase) -> None:
    """The forms take it as typed: nothing without a field, nothing lost that has one."""
    read = carried(make_content(UseCase.A6T1), use_case)
    typed = typed_of(read, FormContext(use_case, NOW))
    assert "warning" not in typed
    assert any("836881000000105" in text for text in typed["flags"].values())
    assert any(text == "20 The Headrow" for text in typed.get("places", {}).values()) is (
        use_case in (UseCase.A4T1, UseCase.A6T1)
    )


def test_special_notes_go_onward_whole(shared_dir: Path) -> None:
    published = shared_dir / "fhir/examples/REFREQ01 - Referral Service Request New Full - 111 to ED.json"
    read = carried_content(MessageBundle(json.loads(published.read_bytes())), UseCase.A1T1).sources
    assert [each.name for each in read] == ["Healthcare Gateway MIG", "Graphnet", OWN_NOTE]
    note = read[-1].note
    assert note is not None
    assert (note.title, note.active_on, note.review_on) == (
        "Abusive patient",
        date(2021, 11, 10),
        date(2022, 5, 10),
    )
    assert note.detail.endswith("Patient should not be seen alone")
    assert carried(make_content(sources=read), UseCase.A5T1).sources == read


def test_what_is_new_is_told_to_a_pharmacy_and_comes_back() -> None:
    taken = Medication(Concept(text="Ibuprofen"), since="2026-11", is_new=True)
    rash = Concept(SNOMED, "247472004", "Urticarial rash", "All over")
    allergy = Allergy(Concept(text="Latex"), rash, AllergyType.INTOLERANCE, None, Severity.SEVERE, True)
    known = make_content(
        UseCase.A5T1,
        medications=Medications(Stated.LISTED, (taken, replace(taken, is_new=False))),
        allergies=Allergies(Stated.LISTED, (allergy, replace(allergy, is_new=False))),
    )
    read = carried(known)
    assert (read.medications, read.allergies) == (known.medications, known.allergies)
    asked = FormContext(UseCase.A5T1, NOW)
    for slug in ("medication", "allergies"):
        assert typed_of(known, asked)[slug]["row-0-is_new"] == "on"
        assert "row-1-is_new" not in typed_of(known, asked)[slug]


def test_questions_and_answers_stay_lines_of_the_narrative() -> None:
    """Typed or pasted from a triage tool, from the form to the other side's record."""
    asked = FormContext(UseCase.A5T1, NOW)
    typed = typed_of(make_content(UseCase.A5T1), asked)["assessment"]
    lines = "Who is the query about?\nThe patient\n\nHow long?\nThree days"
    step = read_step(BY_SLUG["assessment"], {**typed, "narrative": lines}, asked)
    content = replace(make_content(UseCase.A5T1), assessment=step.stated["assessment"])
    plan = MessageBundle(message(content)).of_type("CarePlan")[0]
    assert {"text": lines} in plan["activity"][0]["outcomeCodeableConcept"]
    assert carried(content).assessment.narrative == lines


def test_a_reaction_that_was_kept_in_words_alone_still_reads() -> None:
    stored = content_to_json(make_content())
    stored["allergies"]["listed"] = [{"concept": {"text": "Latex"}, "reaction": "Rash"}]
    (allergy,) = content_from_json(stored).allergies.listed
    assert allergy.reaction == Concept(text="Rash")


def test_a_warning_with_a_code_of_another_list_is_kept_in_words() -> None:
    bundle = message(make_content())
    (flag,) = (
        each["resource"]
        for each in bundle["entry"]
        if each["resource"]["resourceType"] == "Flag"
        and each["resource"]["category"][0]["coding"][0]["code"] == "SG"
    )
    flag["code"] = {"coding": [{"system": SAFEGUARDING_SYSTEM, "code": "1", "display": "A new concern"}]}
    read = carried_content(MessageBundle(bundle), UseCase.A1T1)
    assert [each.concept for each in read.flags] == [Concept(text="A new concern")]


def test_what_is_over_does_not_go_onward() -> None:
    bundle = message(make_content())
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Flag":
            entry["resource"]["status"] = "inactive"
    assert carried_content(MessageBundle(bundle), UseCase.A1T1).flags == ()


def test_every_published_request_can_go_onward(shared_dir: Path) -> None:
    """Safeguarding is there whenever it was sent; and the forms can take all of it."""
    seen = 0
    for path in sorted((shared_dir / "fhir" / "examples").rglob("*.json")):
        raw = json.loads(path.read_bytes())
        bundle = MessageBundle(raw)
        if bundle.event != "servicerequest-request":
            continue
        seen += 1
        for use_case in (UseCase.A1T1, UseCase.A4T1, UseCase.A5T1, UseCase.A6T1):
            read = carried_content(bundle, use_case)
            typed_of(read, FormContext(use_case, NOW))
            assert content_from_json(content_to_json(read)) == read
        assert ("SG" in flag_categories(bundle)) == _safeguarding(read.flags)
    assert seen > 10


def _safeguarding(flags: tuple[Flag, ...]) -> bool:
    return any(each.category is FlagCategory.SAFEGUARDING for each in flags)


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ({"text": "birth sex"}, {"code": "F"}),
        ({"coding": [{"system": "http://loinc.org", "code": "76689-9"}]}, {"code": "F"}),
        ({"coding": [{"system": SNOMED, "code": "429019009"}]}, {"system": SNOMED, "code": "248152002"}),
    ],
    ids=["words", "loinc", "snomed"],
)
def test_birth_sex_is_read_however_it_was_told(code: Any, answer: Any) -> None:
    content = make_content()
    stated = replace(content.observations, birth_sex=None)
    bundle = message(replace(content, observations=stated))
    told = {"resourceType": "Observation", "code": code, "valueCodeableConcept": {"coding": [answer]}}
    bundle["entry"].append({"fullUrl": "urn:uuid:1", "resource": told})
    read = carried_content(MessageBundle(bundle), UseCase.A1T1)
    assert read.observations == replace(stated, birth_sex=BirthSex.FEMALE)


def test_birth_sex_is_read_from_an_extension_of_the_patient() -> None:
    content = make_content()
    stated = replace(content.observations, birth_sex=None)
    bundle = message(replace(content, observations=stated))
    (patient,) = MessageBundle(bundle).of_type("Patient")
    url = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-BirthSex"
    patient["extension"] = [{"url": url, "valueCode": "UN"}]
    read = carried_content(MessageBundle(bundle), UseCase.A1T1)
    assert read.observations == replace(stated, birth_sex=BirthSex.UNDIFFERENTIATED)


@given(st.sampled_from(OutcomeKind), st.text("ab: \n", max_size=10).map(str.strip))
def test_the_kind_of_an_outcome_and_its_words_come_apart_as_they_went_together(
    kind: OutcomeKind, words: str
) -> None:
    concept = Concept("https://fhir.nhs.uk/CodeSystem/pathways-dx-codes", "Dx1", "Soon", words)
    content = make_content()
    assessment = replace(content.assessment, outcomes=(Outcome(kind, concept),))
    read = carried(replace(content, assessment=assessment))
    assert read.assessment.outcomes == (Outcome(kind, concept),)


@pytest.mark.parametrize(
    ("told", "scene"),
    [
        ([], None),
        ([("S", "")], ("S", "")),
        ([("S", "Lit"), ("U", "A dog"), ("UNK", "A dog")], ("U", "A dog\nLit")),
        ([("", "A dog")], ("UNK", "A dog")),
    ],
)
def test_of_several_answers_about_the_scene_the_gravest_counts(
    told: list[tuple[str, str]], scene: tuple[str, str] | None
) -> None:
    system = SceneSafety.SAFE.system
    flags = [
        Flag(FlagCategory.SCENE_SAFETY, Concept(system if code else "", code, "", text))
        for code, text in told
    ]
    read = scene_of(flags)
    assert (read and (read.concept.code, read.concept.text)) == scene


def test_an_outcome_tells_what_it_says_otherwise_than_the_request() -> None:
    """Where the ambulance is to go, and of what its crew is warned."""
    (whole, answer) = (whole_messages()[("4", name)] for name in ("validation-new", "validation-full"))
    asked = carried_content(MessageBundle(whole), UseCase.A4T1)
    moved = json.loads(json.dumps(answer))
    (place,) = MessageBundle(moved).of_type("Location")
    place.update(name="Market hall", address={"postalCode": "LS1 7HB"}, extension=[])
    told = dict(told_otherwise(asked, MessageBundle(moved)))
    assert told == {
        "Where the patient is now": "Market hall, LS1 7HB, Behind the market hall, "
        "latitude 53.79960, longitude -1.54175",
        "New warning": ["Scene Safety: The Scene is unsafe: A dog"],
    }
    there = told_otherwise(asked, MessageBundle(answer))
    assert [label for label, _ in there] == ["New warning"]
    assert told_otherwise(asked, MessageBundle(whole)) == []
