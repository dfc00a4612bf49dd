"""Our requests as Bundles: accepted by our own receiver's judgement, and nothing that was stated is lost."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings

from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import (
    ARPPriority,
    FlagCategory,
    MessageReason,
    ServiceRequestStatus,
    UseCase,
)
from bars_portal.exchange.fhir.timestamps import InvalidInstant, format_instant, parse_instant
from bars_portal.patients.reading import patient_from_fhir
from referrals.cases.states import Category
from referrals.parts.assessment import Stage, kind_and_words
from referrals.parts.content import RequestContent
from referrals.parts.medication import Allergies, Medications, Stated
from referrals.parts.questionnaires import YesNo
from referrals.receiving.mapping import parse_case
from referrals.sending import message
from referrals.sending.message import acknowledged_entries
from tests.factories.contents import contents, make_content
from tests.factories.patients import DETAILS
from tests.factories.referrals import NOW
from tests.fhir_check import assert_no_errors
from tests.profiles import examples
from tests.unit.patients.strategies import patients
from tests.unit.referrals import built

# Told by other means than their own code: by the code that an answer has, by a status, by words, by silence.
_INDIRECT = (YesNo, Stated, bool)


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each)
    else:
        yield value


def stated(value: Any) -> Iterator[Any]:
    """Everything that the content says, leaf by leaf."""
    if is_dataclass(value):
        for each in fields(value):
            yield from stated(getattr(value, each.name))
    elif isinstance(value, tuple):
        for each in value:
            yield from stated(each)
    elif value not in (None, "") and not isinstance(value, _INDIRECT):
        yield value


def said(bundle: dict[str, Any]) -> set[Any]:
    found: set[Any] = set()
    for leaf in leaves(bundle):
        found.add(leaf if isinstance(leaf, str | bool) else Decimal(str(leaf)))
        found.update(filter(None, kind_and_words(str(leaf))))
        try:
            found.add(parse_instant(leaf))
        except (InvalidInstant, AttributeError):
            found.add(str(leaf).removeprefix("Appointment/"))
    return found


def on_the_wire(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return value if isinstance(value, str | Decimal | datetime) else str(value)


@given(contents())
@settings(max_examples=examples(20, thorough=200), deadline=None)
def test_any_request_is_accepted_and_holds_all_that_was_stated(content: RequestContent) -> None:
    bundle = json.loads(json.dumps(built.message(content)))
    read, verdict = built.judged(bundle)
    assert (verdict.issues, verdict.warnings) == ((), ())
    assert verdict.row is not None
    assert verdict.row.message_key == f"{content.category}-new"
    missing = {on_the_wire(each) for each in stated(content)} - said(bundle)
    assert not missing
    parsed = parse_case(read, Category(content.category.value), now=NOW)
    check_index(parsed.facts, content)
    assert (parsed.patient, parsed.journey_id) == (DETAILS, built.JOURNEY)


def check_index(facts: Any, content: RequestContent) -> None:
    """What the receiver's columns say is what was stated."""
    categories = {flag.category.value for flag in content.flags}
    rejected = {FlagCategory.REJECTED_SERVICES.value} if content.rejected_services else set()
    frame = content.time_frame
    assert facts.use_case == content.use_case
    assert facts.priority == (content.assessment.priority or "")
    assert (facts.occurrence_start, facts.breach_at) == (frame and frame.start, frame and frame.end)
    assert facts.case_number == (content.assessment.case_number or str(built.CASE))
    assert set(facts.flags) == categories | rejected
    assert facts.booking_ids == tuple(UUID(each) for each in content.booking_ids)
    assert (facts.requester_ods_code, facts.authored_on) == ("Y00111", NOW)
    concerns = [
        flag
        for flag in content.flags
        if flag.category is FlagCategory.SAFEGUARDING and flag.concept.code != "861931000000100"
    ]
    unsafe = [
        flag
        for flag in content.flags
        if flag.category is FlagCategory.SCENE_SAFETY and flag.concept.code != "S"
    ]
    assert (facts.safeguarding, facts.scene_unsafe) == (bool(concerns), bool(unsafe))


@given(patients.filter(lambda each: each.call_back is not None and bool(each.call_back.telecoms)))
@settings(max_examples=examples(15, thorough=150), deadline=None)
def test_any_patient_with_a_call_back_number(patient: Any) -> None:
    read, verdict = built.judged(built.message(make_content(UseCase.A4T1), patient=patient))
    assert verdict.issues == ()
    assert patient_from_fhir(read.of_type("Patient")[0], now=NOW).family_name == patient.family_name


@pytest.mark.parametrize("use_case", UseCase, ids=str)
@pytest.mark.parametrize("reason", [MessageReason.NEW, MessageReason.UPDATE], ids=str)
def test_every_use_case_new_and_updated(use_case: UseCase, reason: MessageReason) -> None:
    content = make_content(use_case)
    _, verdict = built.judged(built.message(content, reason=reason))
    assert (verdict.issues, verdict.warnings) == ((), ())
    assert verdict.row is not None
    assert verdict.row.message_key == f"{content.category}-{reason}"


@pytest.mark.parametrize(
    ("use_case", "status"),
    [(UseCase.A1T1, "finished"), (UseCase.A3T1, "finished"), (UseCase.A4T1, "triaged")],
    ids=str,
)
def test_how_far_the_assessment_is(use_case: UseCase, status: str) -> None:
    """Both would be taken of a referral; it is sent once the assessment is over."""
    read, _ = built.judged(built.message(make_content(use_case)))
    assert [each["status"] for each in read.of_type("Encounter")] == [status]


@pytest.mark.parametrize("use_case", [UseCase.A1T1, UseCase.A4T1, UseCase.A6T1], ids=str)
@pytest.mark.parametrize(
    ("status", "name"),
    [(ServiceRequestStatus.REVOKED, "revoked"), (ServiceRequestStatus.ENTERED_IN_ERROR, "entered-in-error")],
    ids=["revoked", "in-error"],
)
def test_taking_it_back(use_case: UseCase, status: ServiceRequestStatus, name: str) -> None:
    bundle = built.end(make_content(use_case), status)
    read, verdict = built.judged(bundle)
    assert (verdict.issues, verdict.warnings) == ((), ())
    assert verdict.row is not None
    assert verdict.row.message_key == (
        "validation-cancelled" if use_case is UseCase.A4T1 else f"referral-{name}"
    )
    kinds = {kind: len(each) for kind, each in read.by_type.items()}
    assert kinds == {"MessageHeader": 1, "ServiceRequest": 1, "Patient": 1, "Organization": 2}
    assert read.focus is not None
    assert (read.focus["id"], read.focus["note"][0]["text"]) == (str(UUID(int=77)), "The patient is better")
    assert read.focus["reasonCode"] == [{"text": "The patient is better"}]


@pytest.mark.parametrize("stage", Stage, ids=str)
def test_each_stage_of_an_ambulance_call(stage: Stage) -> None:
    read, verdict = built.judged(built.message(make_content(UseCase.A6T1, stage=stage)))
    assert verdict.issues == ()
    assert read.of_type("Encounter")[0]["status"] == stage.value


def test_none_known_is_not_silence() -> None:
    silent = MessageBundle(built.message(make_content(medications=Medications(), allergies=Allergies())))
    none = MessageBundle(
        built.message(
            make_content(medications=Medications(Stated.NONE_KNOWN), allergies=Allergies(Stated.NONE_KNOWN))
        )
    )
    assert not silent.of_type("MedicationStatement") + silent.of_type("AllergyIntolerance")
    assert none.of_type("MedicationStatement")[0]["status"] == "not-taken"
    assert none.of_type("AllergyIntolerance")[0]["code"]["coding"][0]["code"] == "716186003"


def test_the_same_request_twice_is_the_same_bytes() -> None:
    content = make_content(UseCase.A6T1)
    assert json.dumps(built.message(content)) == json.dumps(built.message(content))


def test_latitude_and_longitude_are_not_swapped() -> None:
    """The published examples have them the wrong way round."""
    (location,) = MessageBundle(built.message(make_content(UseCase.A4T1))).of_type("Location")
    assert location["position"] == {"longitude": -1.54175, "latitude": 53.7996}


def test_an_update_stamps_only_what_changed() -> None:
    content = make_content(UseCase.A4T1)
    changed = replace(content, assessment=replace(content.assessment, priority=ARPPriority.C2))
    request, held = built.entries(content)
    held = [(url, {**each, "id": f"theirs-{n}"}) for n, (url, each) in enumerate(held)]
    theirs = (
        "urn:uuid:0c1d2e3f-4a5b-4c5d-8e6f-708192a3b4c5",
        {"resourceType": "Encounter", "status": "planned"},
    )
    new_request, new = built.entries(changed, minutes=5)
    updated = message.updated_entries(new, [*held, theirs])
    later = format_instant(NOW.replace(minute=5))
    restamped = {each["resourceType"] for _, each in updated[:-1] if each["meta"]["lastUpdated"] == later}
    assert restamped == {"CarePlan"}
    assert [each.get("id") for _, each in updated[:-1]] == [each["id"] for _, each in held]
    assert updated[-1] == theirs
    assert message.updated_resource(new_request, request) is request


def test_ids_of_an_answer_are_learned_and_nothing_else() -> None:
    _, held = built.entries(make_content(UseCase.A4T1))
    answered: list[dict[str, Any]] = [
        {"fullUrl": url, "resource": {**each, "id": f"{UUID(int=n)}"}}
        for n, (url, each) in enumerate(held, 50)
    ]
    answered[0]["resource"] = {"resourceType": "Patient", "id": str(UUID(int=8))}
    answered[1]["resource"]["status"] = "revoked"
    learned = acknowledged_entries(held, MessageBundle({"entry": answered}))
    assert learned[0][1] == held[0][1], "another type is another thing"
    assert learned[1][1] == {**held[1][1], "id": str(UUID(int=51))}


def test_every_use_case_in_the_published_checker(shared_dir: Path, tmp_path: Path) -> None:
    for use_case in UseCase:
        content = make_content(use_case)
        bundles = [built.message(content, reason=each) for each in (MessageReason.NEW, MessageReason.UPDATE)]
        bundles += [
            built.end(content, each)
            for each in (ServiceRequestStatus.REVOKED, ServiceRequestStatus.ENTERED_IN_ERROR)
        ]
        bare = make_content(
            use_case, medications=Medications(Stated.NONE_KNOWN), allergies=Allergies(Stated.NONE_KNOWN)
        )
        for number, bundle in enumerate([*bundles, built.message(bare)]):
            (tmp_path / f"{use_case}-{number}.json").write_bytes(json.dumps(bundle))
    assert_no_errors(shared_dir, tmp_path)
