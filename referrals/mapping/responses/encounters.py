"""Our own Encounter in every answer, and the new case that category 1 and 2 bring."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bars_portal.correspondence.entries import Entry
from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.fhir.codes import EncounterStatus
from bars_portal.exchange.fhir.profiles import uk_core
from bars_portal.exchange.fhir.reading import as_dict, as_list
from bars_portal.exchange.fhir.timestamps import format_instant
from referrals.content_answers import Rejection
from referrals.mapping.answers import REFERENCE_SYSTEM, own_encounter_id, own_encounter_url
from referrals.mapping.responses.held import HeldRequest

# The ambulance services' own numbering of cases (messages.md, "Identifiers").
CAD_SYSTEM = "urn:oid:2.16.840.1.113883.2.1.3.2.4.18.20"
_EMERGENCY = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    "code": "EMER",
    "display": "emergency",
}
_OVER = frozenset({EncounterStatus.FINISHED, EncounterStatus.CANCELLED})


def own_encounter_entry(
    held: HeldRequest,
    *,
    status: EncounterStatus,
    now: datetime,
    rejection: Rejection | None = None,
    words: str = "",
) -> Entry:
    """Ours in its new status; a rejection's reason, or words, as Encounter.reasonCode."""
    url, known = held.own_encounter or _new(held, now)
    encounter = {name: each for name, each in known.items() if name != "reasonCode"}
    encounter["meta"] = {**as_dict(known.get("meta")), "lastUpdated": format_instant(now)}
    encounter["status"] = status.value
    encounter["period"] = _period(as_dict(known.get("period")), status, now)
    if reason := _reason(rejection, words):
        encounter["reasonCode"] = [reason]
    return url, encounter


def with_own_encounter(included: Sequence[Sequence[Any]], entry: Entry) -> list[list[Any]]:
    """What we hold with our Encounter as it now is: a read gives back what the requester is told."""
    url, encounter = entry
    others = [[each_url, each] for each_url, each in included if each_url != url]
    return [*others, [url, encounter]]


def cad_encounter(held: HeldRequest, cad_id: str, now: datetime) -> Entry:
    """The third Encounter: a case that ambulance control has opened under its own number."""
    return held.part_url(f"cad|{cad_id}"), {
        "resourceType": "Encounter",
        "meta": {"lastUpdated": format_instant(now), "profile": [uk_core("Encounter")]},
        "identifier": [{"system": CAD_SYSTEM, "value": cad_id}],
        "status": EncounterStatus.PLANNED.value,
        **_shared(held),
        "period": {"start": format_instant(now)},
    }


def _new(held: HeldRequest, now: datetime) -> Entry:
    encounter: Resource = {
        "resourceType": "Encounter",
        "id": own_encounter_id(held.case_id),
        "meta": {"profile": [uk_core("Encounter")]},
        "identifier": [{"system": REFERENCE_SYSTEM, "value": held.reference}],
        **_shared(held),
        "period": {"start": format_instant(now)},
    }
    return own_encounter_url(held.case_id), encounter


def _shared(held: HeldRequest) -> Resource:
    """Class, patient and journey are those of the requester's Encounter."""
    _, theirs = held.requester_encounter
    shared: Resource = {"class": as_dict(theirs.get("class")) or _EMERGENCY}
    shared["subject"] = {"reference": held.patient[0]}
    if episodes := as_list(theirs.get("episodeOfCare")):
        shared["episodeOfCare"] = episodes
    return shared


def _period(known: Resource, status: EncounterStatus, now: datetime) -> Resource:
    period = {"start": known.get("start") or format_instant(now)}
    return {**period, "end": format_instant(now)} if status in _OVER else period


def _reason(rejection: Rejection | None, words: str) -> Resource:
    text = rejection.words if rejection is not None else words
    reason: Resource = {"coding": [rejection.reason.coding]} if rejection is not None else {}
    return {**reason, "text": text} if text.strip() else reason
