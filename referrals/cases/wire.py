"""A case's request on the wire, and as we hold it with what came with it.

Ids, instants and people of a message, and the ids that we add (standard section 5, "Ids").
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID, uuid5

from bars_portal.correspondence.entries import Entry, derived_url, full_url
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import EncounterReason
from bars_portal.exchange.fhir.identifiers import ODS_SYSTEM, is_uuid, same_system
from bars_portal.exchange.fhir.json import as_dict, as_list, as_text, dicts
from bars_portal.exchange.fhir.profiles import uk_core
from bars_portal.exchange.fhir.timestamps import InvalidInstant, format_instant, parse_instant
from referrals.cases.models import Case

URN = "urn:uuid:"
# What a column holds of a text; the message itself keeps all of it.
NUMBER, NAME, URL, TEXT, ODS, CODE = 100, 200, 200, 500, 12, 20


def instant(value: object) -> datetime | None:
    """None when it is missing or no instant."""
    try:
        return parse_instant(as_text(value))
    except InvalidInstant:
        return None


def uuid_or_none(text: str) -> UUID | None:
    return UUID(text) if is_uuid(text) else None


def url_uuid(url: str) -> UUID | None:
    """The UUID of a fullUrl urn:uuid:<uuid>."""
    return uuid_or_none(url[len(URN) :]) if url.startswith(URN) else None


def stamp_of(resource: Resource) -> datetime | None:
    """meta.lastUpdated."""
    return instant(as_dict(resource.get("meta")).get("lastUpdated"))


def identifier_of(resource: Resource | None) -> str:
    """The first identifier's value, "" when there is none."""
    values = (as_text(each.get("value")) for each in dicts((resource or {}).get("identifier")))
    return next((each for each in values if each), "")[:NUMBER]


def patient_of(bundle: MessageBundle, request: Resource) -> Resource | None:
    """ServiceRequest.subject, else the only Patient of the message."""
    named = bundle.resolve(request.get("subject"))
    return named if named is not None else next(iter(bundle.of_type("Patient")), None)


def code_and_name(organisation: Resource) -> tuple[str, str]:
    """ODS code and name of an Organization, each "" when not known."""
    codes = (
        as_text(each.get("value"))
        for each in dicts(organisation.get("identifier"))
        if same_system(as_text(each.get("system")), ODS_SYSTEM)
    )
    return next(codes, "")[:ODS], as_text(organisation.get("name"))[:NAME]


# Our human-readable case reference, as Encounter.identifier.
REFERENCE_SYSTEM = "https://bars-portal.local/Id/case-reference"


def accepted_request(sent: Resource, *, case_id: UUID, version: int, now: datetime) -> Resource:
    """The ServiceRequest with our id and version."""
    meta = {**as_dict(sent.get("meta")), "versionId": str(version), "lastUpdated": format_instant(now)}
    return {**sent, "id": str(case_id), "meta": meta}


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


def has_usable_id(url: str, resource: Resource) -> bool:
    """A UUID that is not the one of its own fullUrl: everything else is a placeholder."""
    ident = as_text(resource.get("id"))
    return is_uuid(ident) and not url.lower().endswith(ident.lower())


# Encounter.reasonCode of a response to a validation, as published ones have it; it is in no list of codes.
VALIDATION_OUTCOME = {
    "system": EncounterReason.ADMIT.system,
    "code": "validation-triage-outcome",
    "display": "Validation of triage outcome",
}

EMERGENCY = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    "code": "EMER",
    "display": "emergency",
}


def head(resource_type: str, now: datetime, *profiles: str) -> Resource:
    """What every resource of ours begins with."""
    meta = {"lastUpdated": format_instant(now), "profile": [*profiles] or [uk_core(resource_type)]}
    return {"resourceType": resource_type, "meta": meta}


def index_of(entries: Iterable[Sequence[Any]]) -> MessageBundle:
    """Finds resources by type and by what others call them."""
    return MessageBundle({"entry": [{"fullUrl": url, "resource": each} for url, each in entries]})


def of_the_requester(encounter: Resource, patient: Resource) -> Resource:
    """Class, patient and journey of an Encounter of ours: the requester's. `patient`: a Reference."""
    theirs = as_dict(encounter.get("class"))
    code = as_text(theirs.get("code")) or EMERGENCY["code"]
    shared: Resource = {"class": EMERGENCY if code == EMERGENCY["code"] else {"display": code, **theirs}}
    if patient:
        shared["subject"] = patient
    if episodes := as_list(encounter.get("episodeOfCare")):
        shared["episodeOfCare"] = episodes
    return shared


# The stamp, the receiver's id, and when a thing was written down: none of it says anything about the patient.
_ASIDE = frozenset(
    {"meta", "id", "effectiveDateTime", "dateAsserted", "recordedDate", "authored", "authoredOn", "dateTime"}
)


def bare(resource: Resource) -> Resource:
    """What it says of the patient, without what every version has anew."""
    return {name: value for name, value in resource.items() if name not in _ASIDE}


def included_in(case: Case) -> list[list[Any]]:
    """[[fullUrl, resource], ...]. Of a received case that nobody changed since, our stored reply has it."""
    if case.included is None:
        case.included = _from_our_reply(case) if case.direction == Direction.RECEIVED else []
    included: list[list[Any]] = case.included
    return included


def _from_our_reply(case: Case) -> list[list[Any]]:
    if case.message is None or case.message.reply is None:
        return []
    return read_back(json.loads(bytes(case.message.reply)), focus_id=case.pk)


@dataclass(frozen=True)
class HeldRequest:
    """`url` is the fullUrl of the ServiceRequest; `entries` everything else but the header.

    `reference` is ours, for people.
    """

    case_id: UUID
    url: str
    request: Resource = field(repr=False)
    entries: tuple[Entry, ...] = field(repr=False)
    reference: str = ""

    @cached_property
    def _index(self) -> MessageBundle:
        return index_of([(self.url, self.request), *self.entries])

    def of_types(self, kinds: Collection[str]) -> list[Entry]:
        """The entries of these resource types, in the order in which they were sent."""
        return [(url, each) for url, each in self.entries if each.get("resourceType") in kinds]

    @property
    def told(self) -> Resource:
        """The ServiceRequest as it was sent; its Encounter by fullUrl where their id is not kept."""
        asked = self.request.get("encounter")
        if not asked or self._index.resolve(asked) is not None:
            return self.request
        return {**self.request, "encounter": {**as_dict(asked), "reference": self.requester_encounter[0]}}

    @property
    def own_encounter(self) -> Entry | None:
        """Ours, as the requester was told last."""
        ours = own_encounter_id(self.case_id)
        return next((entry for entry in self.of_types({"Encounter"}) if entry[1].get("id") == ours), None)

    @property
    def requester_encounter(self) -> Entry:
        """The one that the ServiceRequest names, else the first that is not ours."""
        named = self._index.resolve(self.request.get("encounter"))
        theirs = [entry for entry in self.of_types({"Encounter"}) if entry != self.own_encounter]
        return next((entry for entry in theirs if entry[1] is named), theirs[0])

    @property
    def patient(self) -> Entry:
        """ServiceRequest.subject, else the only Patient."""
        named = self._index.resolve(self.request.get("subject"))
        patients = self.of_types({"Patient"})
        return next((entry for entry in patients if entry[1] is named), patients[0])

    def part_url(self, part: str) -> str:
        """fullUrl of something that we add: the same in every response about the case."""
        return derived_url(self.case_id, part)


def held_request(case: Case) -> HeldRequest:
    return HeldRequest(
        case_id=case.pk,
        url=case.sender_full_url,
        request=case.resource,
        entries=tuple((url, resource) for url, resource in included_in(case)),
        reference=case.reference,
    )
