"""What every response has: where it goes, header, who responds, the request as it was sent, our Encounter.

No reference in it is loose: each points at something in the message, or elsewhere.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models

from bars_portal.accounts.acting import name_of
from bars_portal.correspondence.entries import Entry, with_references
from bars_portal.correspondence.envelope import header_between, own_triage_tool
from bars_portal.exchange.fhir.bundle import HeaderFacts, MessageBundle, Resource, new_message, triage_tool
from bars_portal.exchange.fhir.codes import (
    EncounterStatus,
    MessageEvent,
    MessageReason,
    ServiceRequestStatus,
    UseCase,
)
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.json import as_dict, as_text, dicts, extension
from bars_portal.exchange.fhir.profiles import EXTENSION_CDSS, Definition, uk_core
from bars_portal.exchange.fhir.timestamps import format_instant
from bars_portal.exchange.message_bytes import decode
from bars_portal.exchange.registry import Addressing
from directory.mapping import organisation_to_fhir
from referrals.cases.models import Case, CaseAnswer
from referrals.cases.selectors import bundle_id_as_sent, telling_message
from referrals.cases.wire import (
    REFERENCE_SYSTEM,
    VALIDATION_OUTCOME,
    HeldRequest,
    head,
    index_of,
    of_the_requester,
    own_encounter_id,
    own_encounter_url,
)
from referrals.parts.people import (
    RECEIVER,
    SENDER,
    Organisations,
    Responder,
    responder_entries,
    responder_url,
)
from referrals.responding.content import Rejection

Rename = Callable[[str], str | None]
# What lives in other messages or elsewhere is named, not carried (rule "references").
_ELSEWHERE = re.compile(r"#|https?://|urn:oid:|(?:EpisodeOfCare|Appointment|ServiceRequest|Encounter)/")
# Members of which every row needs its reference: without it the row goes.
_ROWS = {"Encounter": {"location": "location", "diagnosis": "condition"}, "Patient": {"link": "other"}}
# Resources that are about somebody by rule of FHIR: the patient, when what was named is left out.
_ABOUT = {
    "ServiceRequest": "subject",
    "CarePlan": "subject",
    "Flag": "subject",
    "MedicationStatement": "subject",
    "Condition": "subject",
    "AllergyIntolerance": "patient",
}


def resolving(entries: Sequence[Entry], *, patient_url: str) -> list[Entry]:
    """Copies of the entries in which every reference points at something in the message, or elsewhere."""
    index = index_of(entries)

    def rename(text: str) -> str | None:
        return text if _ELSEWHERE.match(text) or index.resolve(text) is not None else None

    return [(url, _pruned(each, rename, patient_url)) for url, each in entries]


def _pruned(resource: Resource, rename: Rename, patient_url: str) -> Resource:
    kind = str(resource.get("resourceType"))
    pruned: Resource = with_references(_without_hollow_rows(resource, _ROWS.get(kind, {}), rename), rename)
    about = _ABOUT.get(kind)
    if about is not None and not as_dict(pruned.get(about)).get("reference"):
        pruned[about] = {"reference": patient_url}
    return pruned


def _without_hollow_rows(resource: Resource, rows: dict[str, str], rename: Rename) -> Resource:
    kept = {member: _filled(resource.get(member), name, rename) for member, name in rows.items()}
    return {**resource, **{member: found for member, found in kept.items() if member in resource}}


def _filled(rows: object, name: str, rename: Rename) -> list[Resource]:
    def stays(row: Resource) -> bool:
        reference = as_dict(row.get(name)).get("reference")
        return not isinstance(reference, str) or rename(reference) is not None

    return [row for row in dicts(rows) if stays(row)]


@dataclass(frozen=True)
class Envelope:
    """`answers` is the Bundle.id of the request; `is_update` when an answer before this one was sent."""

    bundle_id: UUID
    now: datetime
    header: HeaderFacts
    answers: str
    is_update: bool
    organisations: Organisations
    responder: Responder


def respond(
    held: HeldRequest,
    envelope: Envelope,
    *,
    definition: Definition,
    request_status: ServiceRequestStatus,
    focus_url: str,
    entries: Sequence[Entry],
    reason: MessageReason | None = None,
) -> dict[str, Any]:
    """servicerequest-response: the ServiceRequest, `entries`, the patient, and everybody involved.

    `reason` overrides new or update, where a definition has only one of them.
    """
    said = MessageReason.UPDATE if envelope.is_update else MessageReason.NEW
    request = {**held.told, "status": request_status.value}
    everything = [
        (held.url, request),
        *entries,
        held.patient,
        *responder_entries(held, envelope.organisations, envelope.responder, envelope.now),
    ]
    return new_message(
        bundle_id=envelope.bundle_id,
        now=envelope.now,
        event=MessageEvent.SERVICEREQUEST_RESPONSE,
        reason=reason or said,
        definition=definition,
        facts=envelope.header,
        receiver_url=held.part_url(RECEIVER),
        sender_url=held.part_url(SENDER),
        focus_url=focus_url,
        entries=resolving(everything, patient_url=held.patient[0]),
        response_identifier=envelope.answers,
    )


def taken_part(held: HeldRequest, envelope: Envelope, encounter: Entry) -> Entry:
    """Our Encounter with the person who answers as its participant."""
    url, resource = encounter
    participant = {"individual": {"reference": responder_url(held, envelope.responder)}}
    return url, {**resource, "participant": [participant]}


# The ambulance services' own numbering of cases (messages.md, "Identifiers").
CAD_SYSTEM = "urn:oid:2.16.840.1.113883.2.1.3.2.4.18.20"
_OVER = frozenset({EncounterStatus.FINISHED, EncounterStatus.CANCELLED})


def own_encounter_entry(
    held: HeldRequest,
    *,
    status: EncounterStatus,
    now: datetime,
    rejection: Rejection | None = None,
    words: str = "",
    validates: bool = False,
    keeps_history: bool = False,
) -> Entry:
    """Ours in its new status, with Encounter.reasonCode: a rejection's reason, or words.

    `validates`: it says that it is the response to a validation, begun or complete. `keeps_history`:
    statusHistory has every status so far with its times, as ambulance controls tell it.
    """
    url, known = held.own_encounter or _new(held, now)
    encounter = {name: each for name, each in known.items() if name != "reasonCode"}
    encounter["meta"] = {**as_dict(known.get("meta")), "lastUpdated": format_instant(now)}
    if keeps_history:
        encounter["statusHistory"] = _history(known, status, now)
    encounter["status"] = status.value
    encounter["period"] = _period(as_dict(known.get("period")), status, now)
    if reason := {"coding": [VALIDATION_OUTCOME]} if validates else _reason(rejection, words):
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
        **head("Encounter", now),
        "identifier": [{"system": CAD_SYSTEM, "value": cad_id}],
        "status": EncounterStatus.PLANNED.value,
        **of_the_requester(held.requester_encounter[1], {"reference": held.patient[0]}),
        "period": {"start": format_instant(now)},
    }


def _new(held: HeldRequest, now: datetime) -> Entry:
    encounter: Resource = {
        "resourceType": "Encounter",
        "id": own_encounter_id(held.case_id),
        "meta": {"profile": [uk_core("Encounter")]},
        "identifier": [{"system": REFERENCE_SYSTEM, "value": held.reference}],
        **of_the_requester(held.requester_encounter[1], {"reference": held.patient[0]}),
        "period": {"start": format_instant(now)},
    }
    return own_encounter_url(held.case_id), encounter


def _period(known: Resource, status: EncounterStatus, now: datetime) -> Resource:
    period = {"start": known.get("start") or format_instant(now)}
    return {**period, "end": format_instant(now)} if status in _OVER else period


def _history(known: Resource, status: EncounterStatus, now: datetime) -> list[Resource]:
    """Earlier statuses with both their times, and the present one since when it is."""
    rows = list(dicts(known.get("statusHistory")))
    if not rows and known.get("status"):
        start = as_dict(known.get("period")).get("start") or format_instant(now)
        rows = [{"status": known["status"], "period": {"start": start}}]
    if rows and rows[-1]["status"] == status.value:
        return rows
    if rows:
        rows[-1] = {**rows[-1], "period": {**as_dict(rows[-1].get("period")), "end": format_instant(now)}}
    return [*rows, {"status": status.value, "period": {"start": format_instant(now)}}]


def _reason(rejection: Rejection | None, words: str) -> Resource:
    text = rejection.words if rejection is not None else words
    reason: Resource = {"coding": [rejection.reason.coding]} if rejection is not None else {}
    return {**reason, "text": text} if text.strip() else reason


_NAMELESS = "The requesting organisation"


def as_response(subject: models.Model) -> CaseAnswer:
    if not isinstance(subject, CaseAnswer):
        raise TypeError("A response is about an answer.")
    return subject


def requester_address(answer: CaseAnswer) -> Addressing:
    """To the service that asked, in the conversation in which it did."""
    case = answer.case
    return Addressing(
        service_id=ServiceID.parse(case.source_service_id),
        correlation_id=case.correlation_id,
        use_case=UseCase(case.use_case),
        category=case.category.value,
    )


def envelope_of(answer: CaseAnswer, *, bundle_id: UUID, now: datetime) -> Envelope:
    case = answer.case
    return Envelope(
        bundle_id=bundle_id,
        now=now,
        header=_header(case),
        answers=bundle_id_as_sent(case, answer.answers_bundle_id),
        is_update=answer.is_update,
        organisations=_organisations(case, now),
        responder=_responder(answer),
    )


def _header(case: Case) -> HeaderFacts:
    """`source` is the service that was asked: what the requester knows us by.

    The requester's decision support is told back, as the examples do it, with our own beside it.
    """
    return header_between(
        destination=ServiceID.parse(case.source_service_id),
        source=ServiceID.parse(case.service.service_id),
        triage_tools=(*_requesters_tool(case), *triage_tool("Responder", *own_triage_tool())),
    )


def _requesters_tool(case: Case) -> tuple[tuple[str, str], ...]:
    message = telling_message(case)
    header = MessageBundle(decode(message.body)).header if message is not None else {}
    parts = dicts(extension(header, EXTENSION_CDSS).get("extension"))
    named = ((as_text(each.get("url")), as_text(each.get("valueString"))) for each in parts)
    return tuple(part for part in named if part[0].startswith("Requester") and part[1])


def _organisations(case: Case, now: datetime) -> Organisations:
    provider = case.service.provider
    asking = case.requester_ods_code or case.sender_ods_code
    receiver = organisation_to_fhir(
        name=case.requester_name or case.sender_name or _NAMELESS, ods_code=asking or "-", now=now
    )
    if not asking:
        del receiver["identifier"]
    sender = organisation_to_fhir(name=provider.name, ods_code=provider.ods_code, now=now)
    return Organisations(sender=sender, receiver=receiver)


def _responder(answer: CaseAnswer) -> Responder:
    author = answer.author
    if author is None:
        return Responder(answer.author_label)
    return Responder(
        name_of(author),
        author.sds_role_profile_id,
        author.role_code,
        author.role_display,
        staff_id=str(author.pk),
    )
