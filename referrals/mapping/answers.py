"""What we answer with and give back to a read: what was sent, plus our ids (standard section 5, "Ids")."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from bars_portal.correspondence.entries import full_url
from bars_portal.exchange.fhir import profiles
from bars_portal.exchange.fhir.bundle import Resource, reply
from bars_portal.exchange.fhir.codes import EncounterStatus
from bars_portal.exchange.fhir.identifiers import is_uuid
from bars_portal.exchange.fhir.reading import as_dict, as_list, as_text, dicts
from bars_portal.exchange.fhir.timestamps import format_instant
from referrals.mapping.received import ReceivedCase
from referrals.states import CaseStatus

# Our human-readable case reference, as Encounter.identifier.
REFERENCE_SYSTEM = "https://bars-portal.local/Id/case-reference"
_EMERGENCY = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    "code": "EMER",
    "display": "emergency",
}
_ENCOUNTER_STATUS = {
    CaseStatus.IN_PROGRESS: EncounterStatus.IN_PROGRESS,
    CaseStatus.COMPLETED: EncounterStatus.FINISHED,
    CaseStatus.REJECTED: EncounterStatus.CANCELLED,
}


def accepted_request(sent: Resource, *, case_id: UUID, version: int, now: datetime) -> Resource:
    """The ServiceRequest with our id and version."""
    meta = {**as_dict(sent.get("meta")), "versionId": str(version), "lastUpdated": format_instant(now)}
    return {**sent, "id": str(case_id), "meta": meta}


def ended_request(held: Resource, sent: Resource, *, version: int, now: datetime) -> Resource:
    """What we hold, taken back as the message says."""
    ended = {**held, "status": as_text(sent.get("status"))}
    for name in ("statusReason", "reasonCode", "note"):
        if sent.get(name):
            ended[name] = sent[name]
    return accepted_request(ended, case_id=UUID(as_text(held.get("id"))), version=version, now=now)


def whole_answer(
    received: ReceivedCase, *, focus: Resource, others: Sequence[tuple[str, Resource]], now: datetime
) -> dict[str, Any]:
    """The reply Bundle to the message."""
    return reply(received.bundle, now=now, focus=focus, included=others)


def read_back(answered: dict[str, Any], *, focus_id: UUID) -> list[list[Any]]:
    """What a read gives beside the ServiceRequest: everything that was sent, with the ids of our answer."""
    return [
        [entry["fullUrl"], resource]
        for entry in answered["entry"]
        if (resource := entry["resource"])["resourceType"] != "MessageHeader"
        and resource.get("id") != str(focus_id)
    ]


def own_encounter_url(case_id: UUID) -> str:
    return full_url(uuid5(case_id, "encounter"))


def own_encounter_id(case_id: UUID) -> str:
    return str(uuid5(case_id, "encounter-id"))


def own_encounter(
    received: ReceivedCase, *, case_id: UUID, reference: str, status: CaseStatus, now: datetime
) -> tuple[str, Resource]:
    """The second Encounter of the answer: ours, planned, with the reference that a person can read out.

    When the message tells our Encounter back, that one is kept as it was sent, with our id and reference.
    """
    sent = received.other_encounter
    names = [{"system": REFERENCE_SYSTEM, "value": reference}]
    if sent is not None:
        theirs = [each for each in dicts(sent.get("identifier")) if each.get("system") != REFERENCE_SYSTEM]
        url = received.bundle.full_url_of(sent)
        return url, {**sent, "id": own_encounter_id(case_id), "identifier": [*names, *theirs]}
    return own_encounter_url(case_id), {
        "resourceType": "Encounter",
        "id": own_encounter_id(case_id),
        "meta": {"lastUpdated": format_instant(now), "profile": [profiles.uk_core("Encounter")]},
        "identifier": names,
        "status": _ENCOUNTER_STATUS.get(status, EncounterStatus.PLANNED).value,
        **_shared(received),
        "period": {"start": format_instant(now)},
    }


def _shared(received: ReceivedCase) -> Resource:
    """Class, patient and journey are those of the requester's Encounter."""
    theirs = received.encounter or {}
    shared: Resource = {"class": as_dict(theirs.get("class")) or _EMERGENCY}
    subject = as_dict(theirs.get("subject")) or as_dict(received.request.get("subject"))
    if subject:
        shared["subject"] = subject
    if episodes := as_list(theirs.get("episodeOfCare")):
        shared["episodeOfCare"] = episodes
    return shared


def has_usable_id(url: str, resource: Resource) -> bool:
    """A UUID that is not the one of its own fullUrl: everything else is a placeholder."""
    ident = as_text(resource.get("id"))
    return is_uuid(ident) and not url.lower().endswith(ident.lower())
