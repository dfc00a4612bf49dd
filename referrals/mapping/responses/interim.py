"""A validation is started or rejected, an ambulance control says how far it is: the short responses."""

from typing import Any

from bars_portal.correspondence.entries import Entry
from bars_portal.exchange.fhir.codes import EncounterStatus, MessageReason, ServiceRequestStatus
from bars_portal.exchange.fhir.profiles import Definition
from referrals.content_answers import CadStatus, Rejection
from referrals.mapping.responses.encounters import own_encounter_entry
from referrals.mapping.responses.envelope import Envelope, respond, taken_part
from referrals.mapping.responses.held import HeldRequest

_SERVICES = ("HealthcareService",)


def validation_interim(held: HeldRequest, envelope: Envelope) -> dict[str, Any]:
    """Somebody has started: our Encounter is the focus, in progress."""
    return _validation(held, envelope, own_encounter_entry(held, status=_STARTED, now=envelope.now))


def validation_rejected(held: HeldRequest, envelope: Envelope, said: Rejection) -> dict[str, Any]:
    """The same definition with our Encounter cancelled, and why."""
    ours = own_encounter_entry(held, status=_CANCELLED, now=envelope.now, rejection=said)
    return _validation(held, envelope, ours)


def cad_response(held: HeldRequest, envelope: Envelope, said: CadStatus) -> dict[str, Any]:
    """The ServiceRequest is the focus; our Encounter says planned, in progress or finished."""
    ours = own_encounter_entry(held, status=said.status, now=envelope.now, words=said.words)
    return _ambulance(held, envelope, ours, ServiceRequestStatus.ACTIVE)


def cad_rejection(held: HeldRequest, envelope: Envelope, said: Rejection) -> dict[str, Any]:
    """Revoked, as the workflow table says; the official example leaves the request active."""
    ours = own_encounter_entry(held, status=_CANCELLED, now=envelope.now, rejection=said)
    return _ambulance(held, envelope, ours, ServiceRequestStatus.REVOKED)


_STARTED, _CANCELLED = EncounterStatus.IN_PROGRESS, EncounterStatus.CANCELLED


def _validation(held: HeldRequest, envelope: Envelope, ours: Entry) -> dict[str, Any]:
    return respond(
        held,
        envelope,
        definition=Definition.VALIDATION_RESPONSE_INTERIM,
        request_status=ServiceRequestStatus.ACTIVE,
        focus_url=ours[0],
        entries=_short(held, envelope, ours),
        reason=MessageReason.NEW,
    )


def _ambulance(
    held: HeldRequest, envelope: Envelope, ours: Entry, status: ServiceRequestStatus
) -> dict[str, Any]:
    return respond(
        held,
        envelope,
        definition=Definition.REFERRAL_RESPONSE_SHORT,
        request_status=status,
        focus_url=held.url,
        entries=_short(held, envelope, ours),
    )


def _short(held: HeldRequest, envelope: Envelope, ours: Entry) -> list[Entry]:
    """Ours first: a reader that is not told the requester's Encounter takes the first that is not triaged."""
    return [taken_part(held, envelope, ours), held.requester_encounter, *held.of_types(_SERVICES)]
