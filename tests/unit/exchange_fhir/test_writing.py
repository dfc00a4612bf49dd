"""Writing: what we send reads back, what we answer keeps what was sent."""

import re
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from bars_portal.exchange.fhir.bundle import HeaderFacts, MessageBundle, new_message, reply, searchset
from bars_portal.exchange.fhir.codes import MessageEvent, MessageReason, NHSNumberStatus, UseCase
from bars_portal.exchange.fhir.identifiers import ServiceID, is_uuid
from bars_portal.exchange.fhir.structure import check_structure
from bars_portal.exchange.fhir.timestamps import format_instant, parse_instant

from .factory import (
    APPOINTMENT,
    NEW,
    PATIENT,
    RECEIVER,
    SCHEDULE,
    SENDER,
    SERVICE,
    SLOT,
    booking,
    resource,
    urn,
    verdict_on,
)

NOW = datetime(2030, 2, 1, 10, 0, 0, 123456, tzinfo=UTC)
OUR_ID = "9f41ba91-d69a-4269-a558-54a20b79c4f2"


_DISPLAYS = {each.value: each.display for each in (UseCase.A1T1, NHSNumberStatus.VERIFIED)}


def as_we_write(value: Any) -> Any:
    """Every moment with seven digits, every coding with its display."""
    if isinstance(value, list):
        return [as_we_write(each) for each in value]
    if isinstance(value, dict):
        made = {name: as_we_write(each) for name, each in value.items()}
        return {**made, "display": _DISPLAYS[made["code"]]} if made.get("code") in _DISPLAYS else made
    if isinstance(value, str) and re.fullmatch(r"[0-9-]{10}T[0-9:]{8}(?:\.[0-9]+)?\+00:00", value):
        return format_instant(parse_instant(value))
    return value


def built(**changes: Any) -> dict[str, Any]:
    entries = [(each["fullUrl"], as_we_write(each["resource"])) for each in booking()["entry"][1:]]
    arguments: dict[str, Any] = {
        "bundle_id": "aaaaaaaa-0000-4000-8000-00000000000a",
        "now": NOW,
        "event": MessageEvent.BOOKING_REQUEST,
        "reason": MessageReason.NEW,
        "definition": NEW.definition,
        "facts": HeaderFacts(SERVICE.service_id, ServiceID("2000088001"), "Sender", "Portal", "0.1.0"),
        "receiver_url": urn(RECEIVER),
        "sender_url": urn(SENDER),
        "focus_url": urn(APPOINTMENT),
        "entries": entries,
    }
    return new_message(**arguments | changes)


def test_a_new_message_passes_our_own_receiver() -> None:
    message = built()
    assert check_structure(message) == ()
    verdict = verdict_on(message)
    assert (verdict.issues, verdict.warnings, verdict.row) == ((), (), NEW)


def test_a_new_message_carries_version_and_stamps() -> None:
    message = built()
    assert message["meta"]["versionId"] == "1.1.0"
    assert message["timestamp"] == "2030-02-01T10:00:00.1234560+00:00"
    for entry in message["entry"]:
        meta = entry["resource"]["meta"]
        assert meta["lastUpdated"] and meta["profile"]
    assert message["entry"][0]["resource"]["meta"]["profile"] == [
        "https://fhir.nhs.uk/StructureDefinition/BARSMessageHeader-booking-request"
    ]


def test_building_twice_gives_the_same_and_changes_nothing() -> None:
    entries = [(each["fullUrl"], as_we_write(each["resource"])) for each in booking()["entry"][1:]]
    before = deepcopy(entries)
    assert built(entries=entries) == built(entries=entries)
    assert entries == before


def test_a_response_names_what_it_answers() -> None:
    assert MessageBundle(built(response_identifier="abc")).response_identifier == "abc"


def answer(request: dict[str, Any]) -> tuple[MessageBundle, MessageBundle]:
    asked = MessageBundle(request)
    appointment, slot = resource(request, APPOINTMENT), resource(request, SLOT)
    given = reply(
        asked,
        now=NOW,
        focus={**appointment, "id": OUR_ID},
        included=[(urn(SLOT), {**slot, "status": "busy"})],
    )
    return asked, MessageBundle(given)


def test_a_reply_keeps_bundle_id_full_urls_and_content() -> None:
    asked, answered = answer(as_we_write(booking()))
    assert answered.id == asked.id
    assert [url for url, _ in answered.entries] == [url for url, _ in asked.entries]
    assert answered.focus is not None
    assert answered.focus["id"] == OUR_ID
    assert answered.raw["timestamp"] == "2030-02-01T10:00:00.1234560+00:00"
    (was,), (now,) = asked.of_type("Patient"), answered.of_type("Patient")
    assert {name: value for name, value in now.items() if name != "id"} == was


def test_a_reply_gives_every_resource_an_id_of_its_own() -> None:
    request = booking()
    resource(request, SCHEDULE)["id"] = "sched1111"
    resource(request, PATIENT)["id"] = urn(PATIENT).removeprefix("urn:uuid:")
    _, answered = answer(request)
    for url, each in answered.entries:
        assert is_uuid(each["id"])
        assert each["id"] not in url
    assert answered.of_type("Slot")[0]["id"] == resource(request, SLOT)["id"]
    assert len({each["id"] for _, each in answered.entries}) == len(answered.entries)


def test_a_reply_adds_what_was_not_sent() -> None:
    request = MessageBundle(booking())
    extra = {"resourceType": "Location", "name": "Ward"}
    assert request.focus is not None
    given = MessageBundle(reply(request, now=NOW, focus=request.focus, included=[(urn(99), extra)]))
    assert given.resolve(urn(99)) is not None
    assert len(given.entries) == len(request.entries) + 1


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_searchset_counts_its_matches_only(count: int) -> None:
    matches = [(urn(number), {"resourceType": "Slot"}) for number in range(count)]
    included = [(urn(50), {"resourceType": "Schedule"})] if count else []
    found = searchset(bundle_id=OUR_ID, now=NOW, self_link="Slot", matches=matches, included=included)
    assert found["total"] == count
    modes = [entry["search"]["mode"] for entry in found.get("entry", [])]
    assert modes == ["match"] * count + ["include"] * len(included)
    assert ("entry" in found) is bool(count)
