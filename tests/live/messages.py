"""Booking messages of a partner: one of our own making, and the published examples adapted to a slot."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from tests.live.partner import SERVICE_SYSTEM, FreeSlot, Resource

_SOURCE = "2000088001"
_CODES = "https://fhir.nhs.uk/CodeSystem"
_DEFINITION = "https://fhir.nhs.uk/MessageDefinition"
_UK = "https://fhir.hl7.org.uk/StructureDefinition"
# What a stranger would find in a log: no other test data holds these.
PATIENT = {"family": "Ottershaw", "given": "Wilhelmina", "postcode": "LS6 3QX", "line": "7 Periwinkle Mews"}


def own_booking(slot: FreeSlot, *, use_case: str = "a1t1") -> Resource:
    """booking-request, new, with what its MessageDefinition asks for and no more."""
    urls = {
        name: f"urn:uuid:{uuid4()}" for name in ("header", "focus", "patient", "slot", "diary", "service")
    }
    urls |= {name: f"urn:uuid:{uuid4()}" for name in ("receiver", "sender")}
    appointment = _appointment(slot, urls, "booked", use_case) | {"slot": [_ref(urls["slot"])]}
    taken = {"id": slot.id, "status": "busy", "start": slot.start, "end": slot.end}
    service = [{"system": SERVICE_SYSTEM, "value": slot.service}]
    entries = [
        (urls["header"], _header(slot, urls, "new", "bars-message-booking-request")),
        (urls["focus"], appointment),
        (urls["patient"], _patient()),
        (urls["slot"], _resource("Slot", schedule=_ref(urls["diary"]), **taken)),
        (urls["diary"], _resource("Schedule", actor=[_ref(urls["service"])])),
        (urls["service"], _resource("HealthcareService", identifier=service, name="The service")),
        (urls["receiver"], _resource("Organization", name="Receiving organisation")),
        (urls["sender"], _resource("Organization", name="Sending organisation")),
    ]
    return _bundle(entries)


def own_cancel(booked: Resource, *, appointment_id: str | None = None) -> Resource:
    """booking-request, update: the stripped message that takes a booking back."""
    kept = {"MessageHeader", "Appointment", "Patient", "Organization"}
    cancel = copy.deepcopy(booked) | {"id": str(uuid4())}
    cancel["entry"] = [each for each in cancel["entry"] if each["resource"]["resourceType"] in kept]
    header, appointment = only(cancel, "MessageHeader"), only(cancel, "Appointment")
    header["reason"]["coding"][0]["code"] = "update"
    header["definition"] = f"{_DEFINITION}/bars-message-booking-request-cancelled"
    del appointment["slot"]
    appointment["status"] = "cancelled"
    if appointment_id:
        appointment["id"] = appointment_id
    return cancel


def official(shared: Path, start: str, slot: FreeSlot) -> Resource:
    """A published booking example with only its service, slot and times replaced."""
    message = addressed(shared, start, slot.service)
    times = {"start": slot.start, "end": slot.end}
    only(message, "Appointment").update(times)
    for each in of_type(message, "Slot"):
        each.update(times, id=slot.id)
    return message


def addressed(shared: Path, start: str, service: str) -> Resource:
    """A published example with only its destination replaced."""
    (path,) = (shared / "fhir" / "examples").glob(f"{start} *.json")
    message: Resource = json.loads(path.read_text())
    destination = only(message, "MessageHeader")["destination"][0]
    destination["endpoint"] = f"{SERVICE_SYSTEM}|{service}"
    return message


def of_type(bundle: Resource, kind: str) -> list[Resource]:
    found = [entry["resource"] for entry in bundle["entry"]]
    return [each for each in found if each["resourceType"] == kind]


def only(bundle: Resource, kind: str) -> Resource:
    (found,) = of_type(bundle, kind)
    return found


def full_url_of(bundle: Resource, kind: str) -> str:
    (found,) = [each["fullUrl"] for each in bundle["entry"] if each["resource"]["resourceType"] == kind]
    return str(found)


def _header(slot: FreeSlot, urls: dict[str, str], reason: str, definition: str) -> Resource:
    destination = {"endpoint": f"{SERVICE_SYSTEM}|{slot.service}", "receiver": _ref(urls["receiver"])}
    source = {"name": "Partner 111", "software": "Partner", "version": "1.0.0"}
    header = _resource(
        "MessageHeader",
        eventCoding={"system": f"{_CODES}/message-events-bars", "code": "booking-request"},
        destination=[destination],
        sender=_ref(urls["sender"]),
        source=source | {"endpoint": f"{SERVICE_SYSTEM}|{_SOURCE}"},
        reason={"coding": [{"system": f"{_CODES}/message-reason-bars", "code": reason}]},
        focus=[_ref(urls["focus"])],
        definition=f"{_DEFINITION}/{definition}",
    )
    header["meta"]["profile"] = ["https://fhir.nhs.uk/StructureDefinition/BARSMessageHeader-booking-request"]
    return header


def _appointment(slot: FreeSlot, urls: dict[str, str], status: str, use_case: str) -> Resource:
    category = {"system": f"{_CODES}/usecases-categories-bars", "code": use_case}
    return _resource(
        "Appointment",
        status=status,
        serviceCategory=[{"coding": [category]}],
        start=slot.start,
        end=slot.end,
        created=_now(),
        participant=[{"actor": _ref(urls["patient"]), "status": "accepted"}],
    )


def _patient() -> Resource:
    rank = {"url": f"{_UK}/Extension-UKCore-ContactRank", "valuePositiveInt": 1}
    role = {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "ONESELF"}
    contact = {
        "extension": [rank],
        "relationship": [{"coding": [role]}],
        "telecom": [{"system": "phone", "value": "07700900111", "use": "mobile", "rank": 1}],
    }
    return _resource(
        "Patient",
        name=[{"use": "official", "family": PATIENT["family"], "given": [PATIENT["given"]]}],
        gender="female",
        birthDate="1961-02-03",
        address=[{"use": "home", "line": [PATIENT["line"]], "postalCode": PATIENT["postcode"]}],
        contact=[contact],
    )


def _resource(kind: str, **elements: object) -> Resource:
    meta = {"lastUpdated": _now(), "profile": [f"{_UK}/UKCore-{kind}"]}
    return {"resourceType": kind, "meta": meta, **elements}


def _bundle(entries: list[tuple[str, Resource]]) -> Resource:
    profile = "https://fhir.nhs.uk/StructureDefinition/BARSBundleMessage"
    return {
        "resourceType": "Bundle",
        "id": str(uuid4()),
        "meta": {"versionId": "1.1.0", "lastUpdated": _now(), "profile": [profile]},
        "type": "message",
        "timestamp": _now(),
        "entry": [{"fullUrl": url, "resource": resource} for url, resource in entries],
    }


def _ref(url: str) -> Resource:
    return {"reference": url}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
