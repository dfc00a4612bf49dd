"""One sound message of every type, after the entity maps of the published examples, built by hand."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.rules import HostedService, Verdict, judge
from bars_portal.exchange.fhir.rules.table import ROWS

from .factory import Change, Json, booking, cancel, changed, coded, contact, message, nhs_number, phone, ref

USE_CASES = {
    *(f"a1t{n}" for n in range(1, 10)),
    *(f"a2t{n}" for n in range(1, 5)),
    *("a3t1", "a4t1", "a4t2", "a4t3", "a5t1", "a5t2", "a5t3", "referraltopharmacy", "a6t1", "a6t2", "a6t3"),
}
HUB = HostedService(ServiceID("2000099001"), "RR8", frozenset(USE_CASES))
DEFINITIONS = "https://fhir.nhs.uk/MessageDefinition/bars-message-"
JOURNEY = {"reference": "EpisodeOfCare/6b1f0a2c-50d3-4a53-9a5e-0f3f3bb5a201"}
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
LOCATION_EXTENSION = "https://fhir.nhs.uk/StructureDefinition/LocationExtension"

# Positions of the entries of every message below.
HEADER, REQUEST, PATIENT, RECEIVER, SENDER, ENCOUNTER = range(6)


def header(event: str, reason: str, definition: str, focus: int, *, answers: bool) -> Json:
    built: Json = {
        "resourceType": "MessageHeader",
        "eventCoding": coded("message-events-bars", f"servicerequest-{event}")["coding"][0],
        "destination": [{"endpoint": HUB.service_id.token, "receiver": ref(RECEIVER)}],
        "sender": ref(SENDER),
        "source": {"endpoint": "https://fhir.nhs.uk/Id/dos-service-id|2000088001"},
        "reason": coded("message-reason-bars", reason),
        "focus": [ref(focus)],
        "definition": f"{DEFINITIONS}servicerequest-{definition}",
    }
    if answers:
        built["response"] = {"identifier": "bbbbbbbb-0000-4000-8000-00000000000b", "code": "ok"}
    return built


def request(status: str, category: str, use_case: str) -> Json:
    return {
        "resourceType": "ServiceRequest",
        "status": status,
        "intent": "plan",
        "category": [
            {
                "coding": [
                    coded("message-category-servicerequest", category)["coding"][0],
                    coded("usecases-categories-bars", use_case)["coding"][0],
                ]
            }
        ],
        "subject": ref(PATIENT),
        "encounter": ref(ENCOUNTER),
        "occurrencePeriod": {"start": "2030-03-01T09:00:00+00:00", "end": "2030-03-01T09:20:00+00:00"},
    }


def patient() -> Json:
    return {
        "resourceType": "Patient",
        "identifier": [nhs_number("9990548609")],
        "name": [{"family": "Zebedee", "given": ["Quintilla"]}],
        "birthDate": "1981-07-14",
        "contact": [contact(1, phone("07700900123"))],
    }


def encounter(status: str, **more: Any) -> Json:
    act = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    built = {"resourceType": "Encounter", "status": status, "class": {"system": act, "code": "EMER"}}
    return built | {"subject": ref(PATIENT), "episodeOfCare": [dict(JOURNEY)]} | more


def rejected(code: str = "RRNA") -> Json:
    return encounter("cancelled", reasonCode=[coded("rejected-reasons-bars", code)])


def location() -> Json:
    part = {"url": "UPRN", "valueString": "0008755622"}
    return {
        "resourceType": "Location",
        "extension": [{"url": LOCATION_EXTENSION, "extension": [part]}],
    }


def people() -> list[Json]:
    return [
        {"resourceType": "Practitioner"},
        {"resourceType": "PractitionerRole"},
    ]


def whole(plan: str) -> list[Json]:
    """What the definitions of full messages ask for beside the Encounters."""
    about = {"subject": ref(PATIENT), "encounter": ref(ENCOUNTER)}
    consent = {"resourceType": "Consent", "status": "active", "scope": {"text": "Direct care"}}
    return [
        {"resourceType": "CarePlan", "status": plan, "intent": "plan"} | about,
        *people(),
        consent | {"category": [coded("consent-categories-bars", "DRC")]},
        {"resourceType": "HealthcareService"},
    ]


def built(head: Json, asked: Json, *rest: Json) -> Json:
    receiver = {"resourceType": "Organization", "identifier": [{"system": ODS, "value": "RR8"}]}
    return message(head, asked, patient(), receiver, {"resourceType": "Organization"}, *rest)


def referral_new(use_case: str = "a1t1", seen: str = "finished", plan: str = "completed") -> Json:
    head = header("request", "new", "request-referral", REQUEST, answers=False)
    return built(head, request("active", "referral", use_case), encounter(seen), *whole(plan))


def referral_update() -> Json:
    head = header("request", "update", "request-referral", REQUEST, answers=False)
    return built(head, request("active", "referral", "a6t1"), encounter("in-progress"), *whole("active"))


def taken_back(status: str, category: str, use_case: str, reason: str = "update") -> Json:
    """Stripped: the Encounter that the request names is left out."""
    head = header("request", reason, "request-cancelled", REQUEST, answers=False)
    return built(head, request(status, category, use_case))


def validation(reason: str, status: str = "active", use_case: str = "a4t1") -> Json:
    head = header("request", reason, "request-validation", REQUEST, answers=False)
    asked = request(status, "validation", use_case)
    return built(head, asked, encounter("triaged"), location(), *whole("active"))


def interim(answer: Json) -> Json:
    head = header("response", "new", "response-validation-interim", ENCOUNTER + 1, answers=True)
    asked = request("active", "validation", "a4t1")
    return built(head, asked, encounter("triaged"), answer, *people())


def full(reason: str = "new", plan: str = "completed", *more: Json, use_case: str = "a4t1") -> Json:
    head = header("response", reason, "response-validation-full", ENCOUNTER + 1, answers=True)
    asked = request("active", "validation", use_case)
    seen = (encounter("triaged"), encounter("finished"), *more)
    return built(head, asked, *seen, location(), *whole(plan))


def did_not_attend() -> Json:
    head = header("response", "new", "response-referral", REQUEST, answers=True)
    missed = {"resourceType": "Appointment", "status": "noshow", "participant": [{"status": "accepted"}]}
    times = {"start": "2030-03-01T09:00:00.000+00:00", "end": "2030-03-01T09:15:00.000+00:00"}
    asked = request("revoked", "referral", "a1t1")
    return built(head, asked, encounter("triaged"), missed | times, *whole("completed"))


def cad(answer: Json, status: str = "active", use_case: str = "a6t3") -> Json:
    head = header("response", "new", "response-referral-short", REQUEST, answers=True)
    return built(head, request(status, "referral", use_case), encounter("triaged"), answer, *people())


def entered_in_error() -> Json:
    return changed(cancel(), lambda raw: raw["entry"][1]["resource"].update(status="entered-in-error"))


SAMPLES: Mapping[str, Callable[[], Json]] = {
    "booking-new": booking,
    "booking-cancelled": lambda: with_reason(cancel(), "update"),
    "booking-entered-in-error": lambda: with_reason(entered_in_error(), "update"),
    "referral-new": referral_new,
    "referral-update": referral_update,
    "referral-revoked": lambda: taken_back("revoked", "referral", "a1t1"),
    "referral-entered-in-error": lambda: taken_back("entered-in-error", "referral", "a1t1"),
    "validation-new": lambda: validation("new"),
    "validation-update": lambda: validation("update"),
    "validation-cancelled": lambda: taken_back("revoked", "validation", "a4t1"),
    "validation-interim": lambda: interim(encounter("in-progress")),
    "validation-rejected": lambda: interim(rejected()),
    "validation-full": full,
    "referral-did-not-attend": did_not_attend,
    "cad-response": lambda: cad(encounter("planned")),
    "cad-rejection": lambda: cad(rejected()),
}


def with_reason(raw: Json, reason: str) -> Json:
    raw["entry"][HEADER]["resource"]["reason"] = coded("message-reason-bars", reason)
    return raw


def judged(raw: Json, service: HostedService = HUB) -> Verdict:
    return judge(MessageBundle(raw), find_service={service.service_id: service}.get, workflows=ROWS)


def nth(raw: Json, kind: str, number: int = 0) -> Json:
    """The resource of a type, by its place among its like."""
    resources: list[Json] = [each["resource"] for each in raw["entry"] if "resource" in each]
    return [each for each in resources if each["resourceType"] == kind][number]


def place(raw: Json, kind: str, number: int = 0) -> str:
    """Its FHIRPath."""
    wanted = nth(raw, kind, number)
    (at,) = [at for at, each in enumerate(raw["entry"]) if each.get("resource") is wanted]
    return f"Bundle.entry[{at}].resource"


def having(kind: str, name: str, value: object, number: int = 0) -> Change:
    """A change of one element, dropped when value is None."""

    def change(raw: Json) -> None:
        target = nth(raw, kind, number)
        target.pop(name, None)
        if value is not None:
            target[name] = deepcopy(value)

    return change
