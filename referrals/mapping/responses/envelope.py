"""What every response has: its header, the request as it was sent, both sides, and the person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from bars_portal.correspondence.entries import Entry, HeaderFacts
from bars_portal.exchange.fhir.bundle import new_message
from bars_portal.exchange.fhir.codes import MessageEvent, MessageReason, ServiceRequestStatus
from bars_portal.exchange.fhir.profiles import Definition
from referrals.mapping.responses.held import HeldRequest
from referrals.mapping.responses.people import (
    RECEIVER,
    SENDER,
    Answerer,
    Organisations,
    answerer_url,
    people_entries,
)
from referrals.mapping.responses.pruning import resolving


@dataclass(frozen=True)
class Envelope:
    """`answers` is the Bundle.id of the request; `is_update` when an answer before this one was sent."""

    bundle_id: UUID
    now: datetime
    header: HeaderFacts
    answers: str
    is_update: bool
    organisations: Organisations
    answerer: Answerer


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
        *people_entries(held, envelope.organisations, envelope.answerer, envelope.now),
    ]
    return new_message(
        bundle_id=envelope.bundle_id,
        now=envelope.now,
        event=MessageEvent.SERVICEREQUEST_RESPONSE,
        reason=reason or said,
        definition=definition,
        destination=envelope.header.destination,
        source=envelope.header.source,
        source_name=envelope.header.source_name,
        software=envelope.header.software,
        version=envelope.header.version,
        receiver_url=held.part_url(RECEIVER),
        sender_url=held.part_url(SENDER),
        focus_url=focus_url,
        entries=resolving(everything, patient_url=held.patient[0]),
        response_identifier=envelope.answers,
    )


def taken_part(held: HeldRequest, envelope: Envelope, encounter: Entry) -> Entry:
    """Our Encounter with the person who answers as its participant."""
    url, resource = encounter
    participant = {"individual": {"reference": answerer_url(held, envelope.answerer)}}
    return url, {**resource, "participant": [participant]}
