"""Reading messages: references in every spelling, and nothing but nothing on odd input."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.identifiers import ServiceID

from .factory import APPOINTMENT, PATIENT, SLOT, booking, resource, urn


def test_the_header_says_what_the_message_is() -> None:
    bundle = MessageBundle(booking())
    assert (bundle.event, bundle.reason) == ("booking-request", "new")
    assert bundle.definition.endswith("/bars-message-booking-request")
    assert bundle.destination == ServiceID("2000099001")
    assert bundle.source == ServiceID("2000088001")
    assert bundle.focus is resource(bundle.raw, APPOINTMENT)
    assert bundle.focus_url == urn(APPOINTMENT)
    assert bundle.timestamp == datetime(2030, 2, 1, 10, tzinfo=UTC)
    assert (bundle.version_id, bundle.response_identifier) == ("1.1.0", "")


@pytest.mark.parametrize(
    "reference",
    [
        urn(SLOT),
        urn(SLOT).upper(),
        {"reference": urn(SLOT)},
        "Slot/3f9f0b5e-7a51-4a55-8a61-0f3f3bb5a101",
        "Slot/" + urn(SLOT).removeprefix("urn:uuid:"),
    ],
)
def test_a_reference_resolves_in_every_spelling(reference: object) -> None:
    bundle = MessageBundle(booking())
    assert bundle.resolve(reference) is resource(bundle.raw, SLOT)


@pytest.mark.parametrize(
    "reference",
    [
        "",
        None,
        5,
        [],
        {},
        {"reference": None},
        {"reference": ["x"]},
        "Patient/x",
        "Patient/" + urn(SLOT)[9:],
        "#",
    ],
)
def test_a_reference_to_nothing_resolves_to_nothing(reference: object) -> None:
    assert MessageBundle(booking()).resolve(reference) is None


@pytest.mark.parametrize("address", [urn(SLOT), urn(SLOT).upper(), "Slot/s1", "Slot/" + urn(SLOT)[9:]])
@pytest.mark.parametrize(("held", "named", "found"), [("2", "2", True), ("2", "1", False), (None, "1", True)])
def test_a_reference_to_a_version_resolves_to_that_version(
    address: str, held: str | None, named: str, found: bool
) -> None:
    raw = booking()
    resource(raw, SLOT).update(id="s1", meta={"versionId": held} if held else {})
    named_slot = MessageBundle(raw).resolve(f"{address}/_history/{named}")
    assert named_slot is (resource(raw, SLOT) if found else None)


def test_a_reference_to_a_version_chooses_among_versions() -> None:
    raw = booking()
    resource(raw, SLOT).update(id="s1", meta={"versionId": "1"})
    later = {**resource(raw, SLOT), "meta": {"versionId": "2"}}
    raw["entry"].append({"fullUrl": urn(30), "resource": later})
    assert MessageBundle(raw).resolve("Slot/s1/_history/2") is later
    assert MessageBundle(raw).resolve("Slot/s1") is resource(raw, SLOT)


def test_a_resource_knows_its_place() -> None:
    bundle = MessageBundle(booking())
    (patient,) = bundle.of_type("Patient")
    assert bundle.full_url_of(patient) == urn(PATIENT)
    assert bundle.path_of(patient) == f"Bundle.entry[{PATIENT}].resource"
    assert bundle.full_url_of(dict(patient)) == ""


def test_the_reason_is_read_from_the_standards_system() -> None:
    raw = booking()
    raw["entry"][0]["resource"]["reason"]["coding"].insert(0, {"system": "urn:x", "code": "other"})
    assert MessageBundle(raw).reason == "new"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = ["id", "meta", "type", "timestamp", "entry"]
HEADER_MEMBERS = ["eventCoding", "reason", "focus", "destination", "source", "definition", "response"]


@given(
    st.dictionaries(st.sampled_from(MEMBERS), json_values),
    st.dictionaries(st.sampled_from(HEADER_MEMBERS), json_values),
)
def test_odd_input_reads_as_nothing(top: dict[str, Any], header: dict[str, Any]) -> None:
    entry = {"fullUrl": top.get("id"), "resource": {"resourceType": "MessageHeader", **header}}
    for raw in (top, {**top, "entry": [top.get("entry"), entry]}):
        bundle = MessageBundle(raw)
        texts = (bundle.id, bundle.version_id, bundle.event, bundle.reason, bundle.definition)
        assert all(isinstance(text, str) for text in (*texts, bundle.focus_url, bundle.response_identifier))
        assert bundle.focus is None or isinstance(bundle.focus, dict)
        assert bundle.destination is None or bundle.destination.value.isdigit()
        assert bundle.timestamp is None or bundle.timestamp.utcoffset() is not None
