"""What a responder answers to a request of ours: built from the request's own Bundle, as plain dicts."""

import json
from copy import deepcopy
from datetime import datetime
from typing import Any
from uuid import uuid4

Bundle = dict[str, Any]
_SERVICE = "https://fhir.nhs.uk/Id/dos-service-id"
_DEFINITION = "https://fhir.nhs.uk/MessageDefinition/bars-message-servicerequest-response-"
_EMERGENCY = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "EMER"}
_REJECTED = {
    "system": "https://fhir.nhs.uk/CodeSystem/rejected-reasons-bars",
    "code": "OTH",
    "display": "Other",
}
# What a short answer carries of the request (MessageDefinition ...-validation-interim).
_SHORT = ("ServiceRequest", "Patient", "Encounter", "Organization", "Practitioner", "PractitionerRole")
_LONG_ONLY = ("basedOn", "locationReference", "supportingInfo", "performer")


def validation_reply(request: bytes | Bundle, *, status: str, source: str, own: str, now: datetime) -> Bundle:
    """`status` is the responder's Encounter: in-progress, cancelled or finished. `own` hears the reply."""
    bundle: Bundle = deepcopy(request) if isinstance(request, dict) else json.loads(bytes(request))
    full = status == "finished"
    answered = bundle["id"]
    url = f"urn:uuid:{uuid4()}"
    entries = [each for each in bundle["entry"][1:] if full or each["resource"]["resourceType"] in _SHORT]
    theirs = next(each["resource"] for each in entries if each["resource"]["resourceType"] == "Encounter")
    entries.append({"fullUrl": url, "resource": _encounter(theirs, status, now)})
    if not full:
        _shorten(entries)
    header = _header(bundle["entry"][0], answered, url, source, own, full=full)
    return {**bundle, "id": str(uuid4()), "entry": [header, *entries]}


def _header(entry: Any, answered: str, focus: str, source: str, own: str, *, full: bool) -> Any:
    header = entry["resource"]
    system = header["eventCoding"]["system"]
    header["eventCoding"] = {"system": system, "code": "servicerequest-response"}
    header["reason"]["coding"][0] = {"system": header["reason"]["coding"][0]["system"], "code": "new"}
    header["destination"][0]["endpoint"] = f"{_SERVICE}|{own}"
    header["source"]["endpoint"] = f"{_SERVICE}|{source}"
    header["focus"] = [{"reference": focus}]
    header["response"] = {"identifier": answered, "code": "ok"}
    header["definition"] = _DEFINITION + ("validation-full" if full else "validation-interim")
    return entry


def _encounter(theirs: Any, status: str, now: datetime) -> Any:
    reason = {"reasonCode": [{"coding": [_REJECTED]}]} if status == "cancelled" else {}
    return {
        "resourceType": "Encounter",
        "meta": {**theirs["meta"], "lastUpdated": now.isoformat(timespec="milliseconds")},
        "identifier": [{"system": "https://responder.example/Id/case-number", "value": "RESP-1"}],
        "status": status,
        "class": _EMERGENCY,
        "subject": theirs["subject"],
        "episodeOfCare": theirs["episodeOfCare"],
        **reason,
    }


def _shorten(entries: list[Any]) -> None:
    for entry in entries:
        if entry["resource"]["resourceType"] == "ServiceRequest":
            for name in _LONG_ONLY:
                entry["resource"].pop(name, None)
