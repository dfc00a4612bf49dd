"""The patient was expected and did not come (standard section 6; safeguarding feedback)."""

from typing import Any

from bars_portal.correspondence.entries import Entry
from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.fhir.codes import (
    AppointmentStatus,
    MessageReason,
    ParticipationStatus,
    ServiceRequestStatus,
    UseCase,
)
from bars_portal.exchange.fhir.profiles import Definition, uk_core
from bars_portal.exchange.fhir.timestamps import format_instant, format_london
from referrals.content_answers import NonAttendance
from referrals.mapping.responses.envelope import Envelope, respond
from referrals.mapping.responses.flags import safeguarding_entries
from referrals.mapping.responses.held import HeldRequest

_CARRIED = (
    "CarePlan",
    "HealthcareService",
    "Observation",
    "MedicationStatement",
    "AllergyIntolerance",
    "QuestionnaireResponse",
    "Consent",
    "Condition",
    "Task",
)


def did_not_attend(
    held: HeldRequest, envelope: Envelope, said: NonAttendance, *, use_case: UseCase
) -> dict[str, Any]:
    """The ServiceRequest is the focus, revoked; the Appointment is a missed one."""
    entries: list[Entry] = [
        (held.part_url("appointment"), _appointment(held, envelope, said, use_case)),
        held.requester_encounter,
        *held.of_types({"CarePlan"})[:1],
        *held.of_types({"Location"})[:1],
        *safeguarding_entries(held, said, now=envelope.now),
        *held.of_types([kind for kind in _CARRIED if kind != "CarePlan"]),
    ]
    return respond(
        held,
        envelope,
        definition=Definition.REFERRAL_RESPONSE,
        request_status=ServiceRequestStatus.REVOKED,
        focus_url=held.url,
        entries=entries,
        reason=MessageReason.NEW,
    )


def _appointment(held: HeldRequest, envelope: Envelope, said: NonAttendance, use_case: UseCase) -> Resource:
    appointment: Resource = {
        "resourceType": "Appointment",
        "meta": {"lastUpdated": format_instant(envelope.now), "profile": [uk_core("Appointment")]},
        "status": AppointmentStatus.NO_SHOW.value,
        "serviceCategory": [{"coding": [use_case.coding]}],
        "start": format_london(said.expected_from),
        "end": format_london(said.expected_until),
        "created": format_instant(envelope.now),
        "participant": [
            {"actor": {"reference": held.patient[0]}, "status": ParticipationStatus.ACCEPTED.value}
        ],
    }
    return {**appointment, "comment": said.words} if said.words.strip() else appointment
