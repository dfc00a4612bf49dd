"""The structural gate: what it finds, where, and that it never tells what was sent."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bars_portal.exchange.fhir.limits import MAX_DEPTH, MAX_ENTRIES
from bars_portal.exchange.fhir.outcomes import OutcomeCode
from bars_portal.exchange.fhir.structure import MAX_ISSUES, check_structure, warm
from tests.profiles import examples

from .factory import APPOINTMENT, HEADER, PATIENT, Change, booking, changed, put, resource

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
