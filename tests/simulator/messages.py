"""BaRS messages of a sender that shares no code with the simulator: small, whole, all FHIR R4."""

from typing import Any
from uuid import uuid4

Resource = dict[str, Any]
CODES = "https://fhir.nhs.uk/CodeSystem"
UK = "https://fhir.hl7.org.uk/StructureDefinition"
SERVICE_SYSTEM = "https://fhir.nhs.uk/Id/dos-service-id"
DEFINITION = "https://fhir.nhs.uk/MessageDefinition/bars-message"
STAMP = "2026-07-14T08:00:00+00:00"


def booking(nhs_number: str | None = None, *, status: str = "booked", **focus: Any) -> Resource:
    """booking-request; a status other than booked makes it a cancellation."""
    urls = _urls("focus", "patient", "slot", "diary", "service")
    cancelled = "-cancelled" if status != "booked" else ""
    appointment = {
        "status": status,
        "serviceCategory": [_concept("usecases-categories-bars", "a1t1")],
        "start": "2026-07-15T09:00:00+01:00",
        "end": "2026-07-15T09:30:00+01:00",
        "slot": [_ref(urls["slot"])],
        "created": STAMP,
        "participant": [{"actor": _ref(urls["patient"]), "status": "accepted"}],
    }
    slot = {"status": "free", "start": appointment["start"], "end": appointment["end"]}
    entries = [
        (urls["focus"], _resource("Appointment", **appointment | focus)),
        (urls["patient"], patient(nhs_number)),
        (urls["slot"], _resource("Slot", id=str(uuid4()), schedule=_ref(urls["diary"]), **slot)),
        (urls["diary"], _resource("Schedule", actor=[_ref(urls["service"])])),
        (urls["service"], _resource("HealthcareService", name="The service")),
    ]
    reason = "update" if cancelled else "new"
    return message("booking-request", reason, f"booking-request{cancelled}", urls["focus"], entries)


def referral(
    nhs_number: str | None = None,
    *,
    reason: str = "new",
    status: str = "active",
    use_case: str = "a1t1",
    plan: str = "completed",
    encounter: str = "finished",
    kind: str = "EMER",
    booking_id: str | None = None,
    **focus: Any,
) -> Resource:
    """servicerequest-request of category referral; `booking_id` links it to an Appointment."""
    urls = _urls("focus", "patient", "encounter", "plan", "practitioner", "organisation", "role", "consent")
    linked = {"supportingInfo": [{"reference": f"Appointment/{booking_id}"}]} if booking_id else {}
    name = "request-cancelled" if status in {"revoked", "entered-in-error"} else "request-referral"
    entries = _care(urls, nhs_number, "referral", use_case, status, plan, encounter, kind, linked | focus)
    return message("servicerequest-request", reason, f"servicerequest-{name}", urls["focus"], entries)


def validation(
    nhs_number: str | None = None,
    *,
    reason: str = "new",
    status: str = "active",
    source: str = "2000088001",
    **focus: Any,
) -> Resource:
    """servicerequest-request of category validation."""
    urls = _urls("focus", "patient", "encounter", "plan", "practitioner", "organisation", "role", "consent")
    entries = _care(urls, nhs_number, "validation", "a4t1", status, "active", "triaged", "EMER", focus)
    place = {"address": {"line": ["1 Test Street"], "city": "Leeds", "postalCode": "LS1 4AP"}}
    entries.append((f"urn:uuid:{uuid4()}", _resource("Location", **place)))
    name = "servicerequest-request-validation"
    return message("servicerequest-request", reason, name, urls["focus"], entries, source=source)


def response(nhs_number: str | None = None, *, category: str, encounter: str = "triaged") -> Resource:
    """servicerequest-response: a validation outcome, or a did-not-attend where the category is referral."""
    urls = _urls("focus", "patient", "encounter", "plan", "practitioner", "organisation", "role", "consent")
    status = "active" if category == "validation" else "revoked"
    use_case = "a4t1" if category == "validation" else "a1t1"
    entries = _care(urls, nhs_number, category, use_case, status, "completed", encounter, "EMER", {})
    made = message(
        "servicerequest-response", "new", "servicerequest-response-referral", urls["focus"], entries
    )
    made["entry"][0]["resource"]["response"] = {"identifier": str(uuid4()), "code": "ok"}
    return made


def message(
    event: str,
    reason: str,
    definition: str,
    focus: str,
    entries: list[tuple[str, Resource]],
    *,
    source: str = "2000088001",
) -> Resource:
    """A message Bundle around its entries."""
    urls = _urls("receiver", "sender")
    header = _resource(
        "MessageHeader",
        eventCoding={"system": f"{CODES}/message-events-bars", "code": event},
        destination=[{"endpoint": f"{SERVICE_SYSTEM}|2000072489", "receiver": _ref(urls["receiver"])}],
        sender=_ref(urls["sender"]),
        source={"name": "Tester", "software": "Tester", "endpoint": f"{SERVICE_SYSTEM}|{source}"},
        reason=_concept("message-reason-bars", reason),
        focus=[_ref(focus)],
        definition=f"{DEFINITION}-{definition}",
    )
    organisations = [(url, _resource("Organization", name=f"The {name}")) for name, url in urls.items()]
    whole = [(f"urn:uuid:{uuid4()}", header), *entries, *organisations]
    return {
        "resourceType": "Bundle",
        "id": str(uuid4()),
        "meta": {
            "versionId": "1.1.0",
            "lastUpdated": STAMP,
            "profile": ["https://fhir.nhs.uk/StructureDefinition/BARSBundleMessage"],
        },
        "type": "message",
        "timestamp": STAMP,
        "entry": [{"fullUrl": url, "resource": content} for url, content in whole],
    }


def patient(nhs_number: str | None) -> Resource:
    """A patient, with a verified number if one is given."""
    rank = {"url": f"{UK}/Extension-UKCore-ContactRank", "valuePositiveInt": 1}
    telecom = [{"system": "phone", "value": "07700900111", "use": "mobile", "rank": 1}]
    content = _resource(
        "Patient", name=[{"family": "Tester"}], contact=[{"extension": [rank], "telecom": telecom}]
    )
    if nhs_number is not None:
        status = _concept("UKCore-NHSNumberVerificationStatus", "number-present-and-verified")
        status["coding"][0]["system"] = (
            "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus"
        )
        verified = {
            "url": f"{UK}/Extension-UKCore-NHSNumberVerificationStatus",
            "valueCodeableConcept": status,
        }
        content["identifier"] = [
            {"extension": [verified], "system": "https://fhir.nhs.uk/Id/nhs-number", "value": nhs_number}
        ]
    return content


def of_type(bundle: Resource, kind: str) -> list[Resource]:
    """The resources of a type."""
    found = [each["resource"] for each in bundle.get("entry", [])]
    return [each for each in found if each["resourceType"] == kind]


def _care(
    urls: dict[str, str],
    nhs_number: str | None,
    category: str,
    use_case: str,
    status: str,
    plan: str,
    encounter: str,
    kind: str,
    focus: Resource,
) -> list[tuple[str, Resource]]:
    subject = _ref(urls["patient"])
    category_concept = _concept("message-category-servicerequest", category)
    category_concept["coding"].append({"system": f"{CODES}/usecases-categories-bars", "code": use_case})
    request = {
        "status": status,
        "intent": "plan",
        "category": [category_concept],
        "subject": subject,
        "encounter": _ref(urls["encounter"]),
        "occurrencePeriod": {"start": STAMP, "end": "2026-07-14T09:00:00+00:00"},
        "authoredOn": STAMP,
        "requester": _ref(urls["practitioner"]),
    }
    case = {
        "identifier": [{"system": "https://sender.example/Id/case-number", "value": "case-1"}],
        "status": encounter,
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": kind},
        "subject": subject,
        "episodeOfCare": [{"reference": f"EpisodeOfCare/{uuid4()}"}],
        "period": {"start": STAMP},
    }
    outcome = [{"outcomeCodeableConcept": [{"text": "Outcome"}]}]
    roles = {"practitioner": _ref(urls["practitioner"]), "organization": _ref(urls["organisation"])}
    scope = {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
    consent = {
        "status": "active",
        "scope": {"coding": [scope]},
        "category": [_concept("consent-categories-bars", "DRC")],
        "patient": subject,
        "policyRule": {"text": "Direct care"},
    }
    plan_content = {"status": plan, "intent": "plan", "subject": subject, "activity": outcome}
    return [
        (urls["focus"], _resource("ServiceRequest", **request | focus)),
        (urls["patient"], patient(nhs_number)),
        (urls["encounter"], _resource("Encounter", **case)),
        (urls["plan"], _resource("CarePlan", **plan_content)),
        (urls["practitioner"], _resource("Practitioner", name=[{"family": "Caller"}])),
        (urls["organisation"], _resource("Organization", name="The employer")),
        (urls["role"], _resource("PractitionerRole", **roles)),
        (urls["consent"], _resource("Consent", **consent)),
    ]


def _resource(kind: str, **elements: Any) -> Resource:
    identity = {"id": elements.pop("id")} if "id" in elements else {}
    meta = {"lastUpdated": STAMP, "profile": [f"{UK}/UKCore-{kind}"]}
    return {"resourceType": kind, **identity, "meta": meta, **elements}


def _concept(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"{CODES}/{system}", "code": code}]}


def _urls(*names: str) -> dict[str, str]:
    return {name: f"urn:uuid:{uuid4()}" for name in names}


def _ref(url: str) -> Resource:
    return {"reference": url}


def without_display(written: object, sent: Resource) -> list[Resource]:
    """The codings in `written` that say no display and were not sent so."""
    repeated = _codings(sent)
    return [each for each in _codings(written) if not each.get("display") and each not in repeated]


def _codings(value: object) -> list[Resource]:
    if isinstance(value, list):
        return [found for each in value for found in _codings(each)]
    if not isinstance(value, dict):
        return []
    own = [value] if {"system", "code"} <= value.keys() and "value" not in value else []
    return own + [found for each in value.values() for found in _codings(each)]
