"""Small valid messages, built by hand so that the code under test does not judge its own output."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.rules import HostedService, Verdict, WorkflowRow, judge

Json = dict[str, Any]
Change = Callable[[Json], None]

SERVICE = HostedService(ServiceID("2000099001"), "RR8", frozenset({"a1t1", "a1t2"}))
NEW = WorkflowRow(
    event="booking-request",
    reasons=frozenset({"new"}),
    focus_type="Appointment",
    focus_statuses=frozenset({"booked"}),
    categories=frozenset(),
    definition="https://fhir.nhs.uk/MessageDefinition/bars-message-booking-request",
    message_key="booking-new",
)
CANCEL = WorkflowRow(
    event="booking-request",
    reasons=frozenset({"new", "update"}),
    focus_type="Appointment",
    focus_statuses=frozenset({"cancelled", "entered-in-error"}),
    categories=frozenset(),
    definition="https://fhir.nhs.uk/MessageDefinition/bars-message-booking-request-cancelled",
    message_key="booking-cancel",
)
ROWS = (NEW, CANCEL)

# Positions of the entries of booking().
HEADER, APPOINTMENT, PATIENT, SLOT, SCHEDULE, SERVICE_ENTRY, RECEIVER, SENDER = range(8)


def urn(number: int) -> str:
    return f"urn:uuid:00000000-0000-4000-8000-{number:012d}"


def ref(number: int) -> Json:
    return {"reference": urn(number)}


def coded(system: str, code: str) -> Json:
    return {"coding": [{"system": f"https://fhir.nhs.uk/CodeSystem/{system}", "code": code}]}


def contact(rank: int | None, *telecoms: Json) -> Json:
    url = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-ContactRank"
    built: Json = {"telecom": list(telecoms)} if telecoms else {"gender": "female"}
    return built | ({"extension": [{"url": url, "valuePositiveInt": rank}]} if rank else {})


def phone(number: str, rank: int | None = 1) -> Json:
    return {"system": "phone", "value": number} | ({"rank": rank} if rank else {})


def nhs_number(value: str, status: str = "number-present-and-verified") -> Json:
    url = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
    system = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus"
    concept = {"coding": [{"system": system, "code": status}]}
    return {
        "extension": [{"url": url, "valueCodeableConcept": concept}],
        "system": "https://fhir.nhs.uk/Id/nhs-number",
        "value": value,
    }


def booking() -> Json:
    """A new booking without fault or warning."""
    header = {
        "resourceType": "MessageHeader",
        "eventCoding": coded("message-events-bars", "booking-request")["coding"][0],
        "destination": [{"endpoint": SERVICE.service_id.token, "receiver": ref(RECEIVER)}],
        "sender": ref(SENDER),
        "source": {"name": "Sender", "endpoint": "https://fhir.nhs.uk/Id/dos-service-id|2000088001"},
        "reason": coded("message-reason-bars", "new"),
        "focus": [ref(APPOINTMENT)],
        "definition": NEW.definition,
    }
    appointment = {
        "resourceType": "Appointment",
        "status": "booked",
        "serviceCategory": [coded("usecases-categories-bars", "a1t1")],
        "start": "2030-03-01T09:00:00.000+00:00",
        "end": "2030-03-01T09:15:00.000+00:00",
        "slot": [ref(SLOT)],
        "participant": [{"actor": ref(PATIENT), "status": "accepted"}],
    }
    patient = {
        "resourceType": "Patient",
        "identifier": [nhs_number("9990548609")],
        "name": [{"family": "Zebedee", "given": ["Quintilla"]}],
        "birthDate": "1981-07-14",
        "contact": [contact(1, phone("07700900123"))],
    }
    slot = {
        "resourceType": "Slot",
        "id": "3f9f0b5e-7a51-4a55-8a61-0f3f3bb5a101",
        "schedule": ref(SCHEDULE),
        "status": "busy",
        "start": "2030-03-01T09:00:00.000+00:00",
        "end": "2030-03-01T09:15:00.000+00:00",
    }
    schedule = {"resourceType": "Schedule", "actor": [ref(SERVICE_ENTRY)]}
    service = {"resourceType": "HealthcareService", "name": "Emergency department"}
    ods = "https://fhir.nhs.uk/Id/ods-organization-code"
    receiver = {"resourceType": "Organization", "identifier": [{"system": ods, "value": "RR8"}]}
    sender = {"resourceType": "Organization", "name": "Sender"}
    return message(header, appointment, patient, slot, schedule, service, receiver, sender)


def cancel() -> Json:
    """The same booking taken back, stripped to what the definition asks for."""
    built = booking()
    keep = (HEADER, APPOINTMENT, PATIENT, RECEIVER, SENDER)
    resource(built, HEADER)["definition"] = CANCEL.definition
    resource(built, APPOINTMENT)["status"] = "cancelled"
    built["entry"] = [built["entry"][position] for position in keep]
    return built


def message(*resources: Json) -> Json:
    return {
        "resourceType": "Bundle",
        "id": "aaaaaaaa-0000-4000-8000-00000000000a",
        "meta": {"versionId": "1.1.0", "lastUpdated": "2030-02-01T10:00:00.000+00:00"},
        "type": "message",
        "timestamp": "2030-02-01T10:00:00.000+00:00",
        "entry": [{"fullUrl": urn(number), "resource": each} for number, each in enumerate(resources)],
    }


def resource(bundle: Json, position: int) -> Json:
    found: Json = bundle["entry"][position]["resource"]
    return found


def put(position: int, name: str, value: object) -> Change:
    """A change that sets an element of the resource at a position, or drops it when value is None."""

    def change(bundle: Json) -> None:
        target = bundle if position < 0 else resource(bundle, position)
        if value is None:
            del target[name]
        else:
            target[name] = deepcopy(value)

    return change


def changed(bundle: Json, *changes: Change) -> Json:
    for change in changes:
        change(bundle)
    return bundle


def verdict_on(bundle: Json) -> Verdict:
    hosted = {SERVICE.service_id: SERVICE}
    return judge(MessageBundle(bundle), find_service=hosted.get, workflows=ROWS)
