"""What an engineer may see of a message: shape, codes, ids of services; nothing about anybody."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.exchange.message_bytes import KEPT_OF_OURS, MASK, mask, readable
from tests.unit.exchange_fhir.factory import booking, cancel

WORDS = ("Zebedee", "Quintilla", "9990548609", "1981-07-14", "07700900123")


def test_a_booking_shows_its_shape_and_names_nobody() -> None:
    shown = readable(json.dumps(booking()).encode(), masked=True)
    for word in WORDS:
        assert word in json.dumps(booking())
        assert word not in shown
    for kept in ("booking-request", "Appointment", "2030-03-01T09:00:00.000+00:00", "a1t1", "2000099001"):
        assert kept in shown
    assert "Zebedee" in readable(json.dumps(booking()).encode(), masked=False)


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in leaves(each)]
    if isinstance(value, list):
        return [leaf for each in value for leaf in leaves(each)]
    return [value]


JSON = st.recursive(
    st.text(min_size=1) | st.integers() | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["value", "family", "text", "line", "display", "id", "code", "system", "url", "start", "name"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
KEPT_OF_PEOPLE = {"resourceType", "profile", "lastUpdated", "rank", "use"}


@given(content=st.dictionaries(st.sampled_from(["name", "identifier", "birthDate", "id", "address"]), JSON))
@pytest.mark.parametrize("kind", ["Patient", "RelatedPerson", "Practitioner", "Person"])
def test_no_leaf_of_a_person_survives(kind: str, content: dict[str, Any]) -> None:
    masked = mask({"resourceType": kind, **content})
    assert masked.pop("resourceType") == kind
    assert set(leaves(masked)) <= {MASK}
    inside = mask({"resourceType": "Appointment", "contained": [{"resourceType": kind, **content}]})
    assert set(leaves(inside)) <= {MASK, kind, "Appointment"}


@given(JSON)
def test_anything_can_be_masked_and_keeps_its_shape(content: Any) -> None:
    masked = mask(content)
    assert type(masked) is type(content) or masked == MASK
    assert len(leaves(masked)) == len(leaves(content))


@pytest.mark.parametrize(
    ("resource", "hidden"),
    [
        ({"participant": [{"actor": {"reference": "Patient/1", "display": "SECRET"}}]}, "SECRET"),
        ({"subject": {"reference": "Patient?identifier=x|SECRET"}}, "SECRET"),
        ({"subject": {"reference": "https://x.example/Patient/SECRET"}}, "SECRET"),
        ({"subject": {"identifier": {"system": "x", "value": "SECRET"}}}, "SECRET"),
        ({"id": "SECRET"}, "SECRET"),
        ({"fullUrl": "https://x.example/SECRET"}, "SECRET"),
        ({"text": {"div": "<p>SECRET</p>"}}, "SECRET"),
        ({"description": "SECRET", "comment": "SECRET", "patientInstruction": "SECRET"}, "SECRET"),
        ({"reasonCode": [{"text": "SECRET"}]}, "SECRET"),
        ({"note": [{"text": "SECRET", "authorString": "SECRET"}]}, "SECRET"),
        ({"extension": [{"url": "x", "valueString": "SECRET"}]}, "SECRET"),
        ({"MRS SECRET": 1}, "SECRET"),
        ({"resourceType": ["Patient"], "name": "SECRET"}, "SECRET"),
        ({"resourceType": {"a": "SECRET"}}, "SECRET"),
    ],
)
def test_places_where_a_name_may_hide(resource: dict[str, Any], hidden: str) -> None:
    shown = readable(json.dumps({"resourceType": "Appointment", **resource}).encode(), masked=True)
    assert hidden not in shown


@pytest.mark.parametrize("kind", ["Patient", "RelatedPerson", "Practitioner"])
def test_the_id_of_a_person_is_hidden_and_that_of_anything_else_kept(kind: str) -> None:
    ident = "00000000-0000-4000-8000-000000000002"
    assert mask({"resourceType": kind, "id": ident})["id"] == MASK
    assert mask({"resourceType": "Slot", "id": ident})["id"] == ident


def test_what_support_needs_is_kept() -> None:
    outcome: dict[str, Any] = {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": "invariant",
                "details": {"coding": [{"system": "x", "code": "REC_BAD_REQUEST", "display": "400 - x"}]},
                "diagnostics": "Bundle.type is not message",
                "expression": ["Bundle.type"],
            }
        ],
    }
    assert mask(outcome, KEPT_OF_OURS) == outcome
    shown = mask(outcome)["issue"][0]
    assert (shown["diagnostics"], shown["expression"]) == (MASK, [MASK]), "others may quote what we sent"
    assert (shown["code"], shown["details"]) == (outcome["issue"][0]["code"], outcome["issue"][0]["details"])
    urn = "urn:uuid:00000000-0000-4000-8000-000000000002"
    assert mask({"focus": [{"reference": urn}], "fullUrl": urn})["focus"][0]["reference"] == urn


@pytest.mark.parametrize("body", [b"\xff", b"{", b"SECRET", b'{"a":' * 2000, b"<SECRET/>"])
@pytest.mark.parametrize("masked", [True, False])
def test_what_is_not_fhir_is_only_counted(body: bytes, masked: bool) -> None:
    assert readable(body, masked=masked) == f"{len(body)} bytes that are not FHIR in JSON or XML."
    assert readable(b"", masked=masked) == readable(None, masked=masked) == "Nothing was sent."


@pytest.mark.parametrize("depth", [100, 300, 900])
def test_deep_nesting_breaks_nothing(depth: int) -> None:
    body = b'{"entry":' * depth + b'"SECRET"' + b"}" * depth
    shown = readable(body, masked=True)
    assert "SECRET" not in shown
    assert readable(body, masked=False)


@pytest.mark.parametrize("message", [booking(), cancel()])
def test_masking_changes_no_message(message: dict[str, Any]) -> None:
    before = json.dumps(message)
    mask(message)
    assert json.dumps(message) == before
