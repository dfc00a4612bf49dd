"""The structural gate: what it finds, where, and that it never tells what was sent."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bars_portal.exchange.fhir.limits import MAX_DEPTH, MAX_ENTRIES
from bars_portal.exchange.fhir.outcomes import OutcomeCode
from bars_portal.exchange.fhir.structure import MAX_ISSUES, check_structure, judge_structure, warm
from tests.profiles import examples

from .factory import APPOINTMENT, HEADER, PATIENT, Change, booking, changed, put, resource
from .samples import SAMPLES

APPOINTMENT_PATH = f"Bundle.entry[{APPOINTMENT}].resource"
PATIENT_PATH = f"Bundle.entry[{PATIENT}].resource"


def test_a_sound_booking_has_no_issue() -> None:
    warm()
    assert check_structure(booking()) == ()


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"url": "urn:x", "valueString": "y"}
    for _ in range(levels):
        value = {"url": "urn:x", "extension": [value]}
    return value


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        (put(APPOINTMENT, "status", None), OutcomeCode.REQUIRED, f"{APPOINTMENT_PATH}.status"),
        (put(APPOINTMENT, "participant", None), OutcomeCode.REQUIRED, f"{APPOINTMENT_PATH}.participant"),
        (put(APPOINTMENT, "start", "SECRET"), OutcomeCode.VALUE, f"{APPOINTMENT_PATH}.start"),
        (put(APPOINTMENT, "start", "2030-03-01T09:00:00"), OutcomeCode.VALUE, f"{APPOINTMENT_PATH}.start"),
        (put(APPOINTMENT, "status", 5), OutcomeCode.INVALID, f"{APPOINTMENT_PATH}.status"),
        (put(APPOINTMENT, "slot", {}), OutcomeCode.INVALID, f"{APPOINTMENT_PATH}.slot"),
        (put(APPOINTMENT, "slot", []), OutcomeCode.INVALID, f"{APPOINTMENT_PATH}.slot"),
        (put(APPOINTMENT, "SECRET", "x"), OutcomeCode.INVALID, APPOINTMENT_PATH),
        (put(APPOINTMENT, "resourceType", "SECRET"), OutcomeCode.INVALID, APPOINTMENT_PATH),
        (put(APPOINTMENT, "resourceType", ["SECRET"]), OutcomeCode.INVALID, APPOINTMENT_PATH),
        (put(PATIENT, "birthDate", "1974-13-45"), OutcomeCode.VALUE, f"{PATIENT_PATH}.birthDate"),
        (
            put(PATIENT, "name", [{"family": "SECRET\x00"}]),
            OutcomeCode.INVALID,
            f"{PATIENT_PATH}.name[0].family",
        ),
        (put(HEADER, "eventUri", "urn:SECRET"), OutcomeCode.VALUE, f"Bundle.entry[{HEADER}].resource"),
        (put(HEADER, "eventCoding", None), OutcomeCode.REQUIRED, f"Bundle.entry[{HEADER}].resource.event"),
        (put(PATIENT, "extension", [deep(MAX_DEPTH)]), OutcomeCode.INVALID, "Bundle"),
        (put(-1, "resourceType", "Patient"), OutcomeCode.INVALID, "Bundle"),
        (put(-1, "entry", "SECRET"), OutcomeCode.INVALID, "Bundle.entry"),
        (put(-1, "entry", [{"resource": "SECRET"}]), OutcomeCode.INVALID, "Bundle.entry[0].resource"),
        (put(-1, "entry", [{}] * (MAX_ENTRIES + 1)), OutcomeCode.INVALID, "Bundle"),
        (lambda raw: raw["entry"].append(None), OutcomeCode.INVALID, "Bundle.entry"),
        (put(-1, "type", None), OutcomeCode.REQUIRED, "Bundle.type"),
    ],
)
def test_each_fault_is_named_with_its_place(change: Change, code: OutcomeCode, path: str) -> None:
    issues = check_structure(changed(booking(), change))
    assert issues
    assert (issues[0].code, issues[0].expression) == (code, (path,))
    assert "SECRET" not in str(issues)


@pytest.mark.parametrize("name", ["FHIRPrimitiveExtension", "FHIRResourceModel", "Element", "Coding"])
def test_what_is_no_resource_is_refused(name: str) -> None:
    assert check_structure(
        {"resourceType": "Bundle", "type": "message", "entry": [{"resource": {"resourceType": name}}]}
    )


ODD_IDS = ["", " ", "urn:uuid:0", "two words", "under_score", "é", "a" * 65, "12/345"]


@pytest.mark.parametrize("odd", ODD_IDS)
@pytest.mark.parametrize("name", SAMPLES)
def test_an_id_that_fhir_would_not_have_is_no_fault(name: str, odd: str) -> None:
    """Standard section 12, "Ids": of the Bundle, of any resource, and of the message that is answered."""
    raw = SAMPLES[name]()
    raw["id"] = odd
    for entry in raw["entry"]:
        entry["resource"]["id"] = odd
        entry["resource"]["contained"] = [{"resourceType": "Location", "id": odd}]
    if "response" in resource(raw, HEADER):
        resource(raw, HEADER)["response"]["identifier"] = odd
    before = deepcopy(raw)
    assert (check_structure(raw), judge_structure(raw)) == ((), ())
    assert raw == before


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (put(PATIENT, "id", 5), f"{PATIENT_PATH}.id"),
        (put(PATIENT, "id", "SECRET\x00"), f"{PATIENT_PATH}.id"),
        (
            put(PATIENT, "extension", [{"url": "urn:x", "valueId": "no id"}]),
            f"{PATIENT_PATH}.extension[0].valueId",
        ),
        (put(-1, "id", ["x"]), "Bundle.id"),
    ],
)
def test_what_is_no_text_or_no_id_of_a_resource_stays_one(change: Change, path: str) -> None:
    (issue, *_) = check_structure(changed(booking(), put(HEADER, "id", "no id"), change))
    assert issue.expression == (path,)


@pytest.mark.parametrize(
    ("member", "value", "path"),
    [
        ("telecom", [{"rank": True}], "telecom[0].rank"),
        ("telecom", [{"rank": "1"}], "telecom[0].rank"),
        ("telecom", [{"rank": 1.0}], "telecom[0].rank"),
        ("active", 1, "active"),
        ("birthDate", 0, "birthDate"),
        ("deceasedDateTime", 86400, "deceasedDateTime"),
        ("active", "true", "active"),
        ("extension", [{"url": "urn:x", "valueDecimal": "1.5"}], "extension[0].valueDecimal"),
        ("extension", [{"url": "urn:x", "valueBoolean": "true"}], "extension[0].valueBoolean"),
        (
            "_birthDate",
            {"extension": [{"url": "urn:x", "valueInteger": True}]},
            "_birthDate.extension[0].valueInteger",
        ),
        ("contained", [{"resourceType": "Patient", "active": "no"}], "contained[0].active"),
    ],
)
def test_texts_numbers_and_booleans_are_those_of_json(member: str, value: object, path: str) -> None:
    issues = check_structure(changed(booking(), put(PATIENT, member, value)))
    assert [(each.code, each.expression) for each in issues] == [
        (OutcomeCode.INVALID, (f"{PATIENT_PATH}.{path}",))
    ]


@pytest.mark.parametrize(
    "value",
    [
        {"telecom": [{"rank": 1}], "active": False},
        {"extension": [{"url": "urn:x", "valueDecimal": 1}, {"url": "urn:x", "valueDecimal": 1.5}]},
        {
            "name": [
                {"given": ["A", None], "_given": [None, {"extension": [{"url": "urn:x", "valueInteger": 1}]}]}
            ]
        },
    ],
)
def test_those_of_json_are_sound_the_long_way_too(value: dict[str, Any]) -> None:
    raw = booking()
    resource(raw, PATIENT).update(value)
    assert judge_structure(raw) == ()


def test_an_element_of_nothing_but_extensions_is_sound() -> None:
    raw = booking()
    extension = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
    resource(raw, PATIENT)["name"] = [{"given": ["A", None], "_given": [None, {"extension": [extension]}]}]
    assert check_structure(raw) == ()


def test_the_list_of_issues_is_bounded() -> None:
    raw = booking()
    for position in range(3):
        resource(raw, position).update({f"unknown{number}": 1 for number in range(MAX_ISSUES)})
    assert len(check_structure(raw)) == MAX_ISSUES


def test_extreme_nesting_is_refused_without_exhausting_the_stack() -> None:
    value: Any = "x"
    for _ in range(50_000):
        value = [value]
    assert check_structure({"resourceType": "Bundle", "type": "message", "entry": value})


odd = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.just("SECRET")
    | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["SECRET", "resourceType", "id", "reference"]), inner, max_size=2)
    ),
    max_leaves=5,
)


@settings(max_examples=examples(40, thorough=500), deadline=None)
@given(st.integers(-1, 7), st.data())
def test_any_member_replaced_by_anything_never_raises_nor_leaks(position: int, data: st.DataObject) -> None:
    raw = booking()
    target = raw if position < 0 else resource(raw, position)
    member = data.draw(st.sampled_from([*target, "contained", "text"]))
    target[member] = data.draw(odd)
    assert "SECRET" not in str(check_structure(raw))
    json.dumps([issue.diagnostics for issue in check_structure(raw)])
