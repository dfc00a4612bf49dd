"""Everything that we write has no errors in the published checker."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from bars_portal.audit.actor import Actor
from bars_portal.exchange import registry
from bars_portal.exchange.fhir.access import Caller
from bars_portal.exchange.fhir.bundle import Rendered
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.json import loads
from bars_portal.exchange.fhir.timestamps import format_instant
from bars_portal.exchange.models import InboundMessage, OutboundMessage
from bars_portal.exchange.registry import ReadContext
from bookings.latest import read_latest
from bookings.mapping.offers import read_offers
from bookings.models import BookingDraft
from bookings.services.cancelling import request_cancel
from bookings.services.requesting import change_draft_slot
from bookings.slots import INCLUDES
from directory.remote import sender_identity
from tests.factories.bookings import NOW
from tests.factories.patients import make_details
from tests.fhir_check import assert_no_errors
from tests.integration.bookings.conftest import Desk
from tests.integration.bookings.loopback import answering

Check = Any


@pytest.fixture
def check(shared_dir: Path, tmp_path: Path) -> Check:
    def run(*bundles: dict[str, Any]) -> None:
        for number, bundle in enumerate(bundles):
            (tmp_path / f"{number}.json").write_text(json.dumps(bundle))
        assert_no_errors(shared_dir, tmp_path)

    return run


def sent(message_type: str) -> dict[str, Any]:
    return loads(bytes(OutboundMessage.objects.get(message_type=message_type).body))


def test_booking_cancel_and_their_answers(desk: Desk, check: Check) -> None:
    booking = desk.book()
    latest = read_latest(desk.network.client, booking=booking, sender=sender_identity(desk.acting), now=NOW)
    request_cancel(booking=booking, latest=latest, reason="pat", acting=desk.acting, now=NOW)
    desk.network.deliver_all()
    answers = [loads(bytes(each.reply or b"")) for each in InboundMessage.objects.all()]
    assert len(answers) == 2
    check(sent("booking-new"), sent("booking-cancelled"), *answers)


@pytest.mark.parametrize(
    "changes",
    [
        {"nhs_number": "", "nhs_number_verified": False},
        {"nhs_number_verified": False},
        {
            "prefix": "",
            "given_names": "",
            "birth_date": None,
            "gender": "",
            "address_lines": (),
            "postcode": "",
        },
    ],
)
def test_patients_of_whom_little_is_known(desk: Desk, check: Check, changes: dict[str, Any]) -> None:
    desk.request(details=make_details(**changes))
    check(sent("booking-new"))


def test_a_cancel_in_words_of_what_had_no_category(desk: Desk, check: Check) -> None:
    booking = desk.book()
    bare = {"resourceType": "Appointment", "id": booking.remote_id, "status": "booked", "participant": []}
    desk.network.before.append(answering(bare))
    latest = read_latest(desk.network.client, booking=booking, sender=sender_identity(desk.acting), now=NOW)
    request_cancel(booking=booking, latest=latest, reason="Feels better", acting=desk.acting, now=NOW)
    check(sent("booking-cancelled"))


def test_answers_to_reads(desk: Desk, check: Check) -> None:
    booking = desk.book()
    client, sender = desk.network.client, sender_identity(desk.acting)
    read = read_latest(client, booking=booking, sender=sender, now=NOW)
    booking.remote_id = ""
    found = read_latest(client, booking=booking, sender=sender, now=NOW)
    assert found.resource["id"] == read.resource["id"]
    number = f"https://fhir.nhs.uk/Id/nhs-number|{booking.patient.nhs_number}"
    check(_slots(desk), read.resource, _search("Appointment", [("patient:identifier", number)]))


def _search(resource_type: str, params: list[tuple[str, str]]) -> dict[str, Any]:
    (reader,) = (each for each in registry.readers() if each.resource_type == resource_type)
    context = ReadContext(uuid4(), uuid4(), None, Caller("RX111"), NOW, Actor("partner"))
    found = reader.search(params, context)
    return found.read() if isinstance(found, Rendered) else found


def _slots(desk: Desk) -> dict[str, Any]:
    params = [
        ("Schedule.actor:HealthcareService", desk.service.service_id),
        ("status", "free,busy"),
        ("start", f"ge{format_instant(NOW)}"),
        ("start", f"le{format_instant(desk.slots[-1].end)}"),
        ("_include", "HealthcareService:providedBy"),
        *(("_include", each.value) for each in INCLUDES),
    ]
    return _search("Slot", params)


def test_slots_of_the_official_example_can_be_booked(desk: Desk, shared_dir: Path, check: Check) -> None:
    path = shared_dir / "fhir" / "examples" / "BOOKREQRESP01 - Booking Slot Searchset Response.json"
    offers = read_offers(loads(path.read_bytes()))
    assert [each.id for each in offers] == ["slot001", "slot002", "slot003"]
    assert offers[0].practitioner_name == "Dr Joe Bloggs"
    assert (offers[0].role, offers[0].delivery_channel) == ("Doctor", "Telephone")
    assert offers[0].location_name == "Healthcare Service Location"
    draft: BookingDraft = desk.draft()
    change_draft_slot(draft=draft, chosen=offers[0], now=NOW)
    desk.request(draft=draft)
    message = sent("booking-new")
    assert ServiceID(desk.service.service_id).value in json.dumps(message)
    check(message)


def test_slots_without_anything_around_can_be_booked(desk: Desk, check: Check) -> None:
    slot = {
        "resourceType": "Slot",
        "id": "only-a-slot",
        "status": "free",
        "schedule": {"reference": "Schedule/elsewhere"},
        "start": "2026-11-22T10:00:00Z",
        "end": "2026-11-22T10:15:00Z",
    }
    url = "https://receiver.example/Slot/only-a-slot"
    raw = {"resourceType": "Bundle", "type": "searchset", "entry": [{"fullUrl": url, "resource": slot}]}
    draft = desk.draft()
    change_draft_slot(draft=draft, chosen=read_offers(raw)[0], now=NOW)
    desk.request(draft=draft)
    check(sent("booking-new"))
