"""Our responses, kind by kind: what their MessageDefinitions ask for."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from bars_portal.correspondence.entries import Entry
from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.fhir.codes import (
    SAFEGUARDING,
    SAFEGUARDING_SYSTEM,
    AppointmentStatus,
    CarePlanStatus,
    EncounterStatus,
    FlagCategory,
    MessageReason,
    ParticipationStatus,
    ServiceRequestStatus,
    UseCase,
)
from bars_portal.exchange.fhir.profiles import Definition, uk_core
from bars_portal.exchange.fhir.timestamps import format_instant
from referrals.cases.models import CaseAnswer
from referrals.cases.states import ReplyKind
from referrals.cases.wire import HeldRequest, head, held_request
from referrals.parts.assessment import kind_of_system
from referrals.parts.base import coding, filled
from referrals.parts.flags import RaisedFlag, returned_flags, with_scene_safety
from referrals.parts.people import responder_role_url, responder_url
from referrals.parts.places import location_entry
from referrals.responding.content import (
    CadStatus,
    NonAttendance,
    Outcome,
    Rejection,
    ResponseContent,
    TriageCode,
    read_content,
)
from referrals.responding.envelope import (
    Envelope,
    cad_encounter,
    envelope_of,
    own_encounter_entry,
    respond,
    taken_part,
)

_SERVICES = ("HealthcareService",)


def validation_interim(held: HeldRequest, envelope: Envelope) -> dict[str, Any]:
    """Somebody has started: our Encounter is the focus, in progress."""
    ours = own_encounter_entry(held, status=_STARTED, now=envelope.now, validates=True)
    return _validation(held, envelope, ours)


def validation_rejected(held: HeldRequest, envelope: Envelope, said: Rejection) -> dict[str, Any]:
    """The same definition with our Encounter cancelled, and why."""
    ours = own_encounter_entry(held, status=_CANCELLED, now=envelope.now, rejection=said)
    return _validation(held, envelope, ours)


def cad_response(held: HeldRequest, envelope: Envelope, said: CadStatus) -> dict[str, Any]:
    """The ServiceRequest is the focus; our Encounter says planned, in progress or finished."""
    now = envelope.now
    ours = own_encounter_entry(held, status=said.status, now=now, words=said.words, keeps_history=True)
    return _ambulance(held, envelope, ours, ServiceRequestStatus.ACTIVE)


def cad_rejection(held: HeldRequest, envelope: Envelope, said: Rejection) -> dict[str, Any]:
    """Revoked, as the workflow table says; the official example leaves the request active."""
    now = envelope.now
    ours = own_encounter_entry(held, status=_CANCELLED, now=now, rejection=said, keeps_history=True)
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
        reason=MessageReason.NEW,
    )


def _short(held: HeldRequest, envelope: Envelope, ours: Entry) -> list[Entry]:
    """Ours first: a reader that is not told the requester's Encounter takes the first that is not triaged."""
    return [taken_part(held, envelope, ours), held.requester_encounter, *held.of_types(_SERVICES)]


def plan_entry(
    held: HeldRequest, said: Outcome, *, encounter_url: str, author_url: str, now: datetime
) -> Entry:
    """In the place of the requester's plan: active when something is still to be done, else completed."""
    known = next(iter(held.of_types({"CarePlan"})), None)
    url = known[0] if known else held.part_url("plan")
    status = CarePlanStatus.ACTIVE if said.action_needed else CarePlanStatus.COMPLETED
    plan: Resource = {
        "resourceType": "CarePlan",
        "meta": {"lastUpdated": format_instant(now), "profile": [uk_core("CarePlan")]},
        "status": status.value,
        "intent": "plan",
        "subject": {"reference": held.patient[0]},
        "encounter": {"reference": encounter_url},
        "period": {"start": format_instant(said.clock_start)},
        "author": {"reference": author_url},
        "activity": [{"outcomeCodeableConcept": _outcomes(said)}],
    }
    return url, {**plan, "id": known[1]["id"]} if known and known[1].get("id") else plan


def _outcomes(said: Outcome) -> list[Resource]:
    """The category, triage codes, what it leads to, and the person's own words."""
    concepts: list[Resource] = [{"coding": [said.priority.coding]}] if said.priority is not None else []
    concepts += [_triaged(each) for each in said.codes]
    return [*concepts, {"text": said.disposition.label}, {"text": said.narrative}]


def _triaged(code: TriageCode) -> Resource:
    named = coding(code.system, code.code, code.display)
    return {"coding": [named], "text": kind_of_system(code.system).label}


_CARRIED = ("HealthcareService", "Observation", "MedicationStatement", "AllergyIntolerance", "Consent")


def validation_full(held: HeldRequest, envelope: Envelope, said: Outcome) -> dict[str, Any]:
    """Our Encounter is the focus, finished; a third one is the ambulance control's new case."""
    now = envelope.now
    ours = own_encounter_entry(held, status=EncounterStatus.FINISHED, now=now, validates=True)
    author = responder_role_url(held, envelope.responder)
    entries: list[Entry] = [
        taken_part(held, envelope, ours),
        held.requester_encounter,
        *([cad_encounter(held, said.cad_id, now)] if said.cad_id else []),
        plan_entry(held, said, encounter_url=ours[0], author_url=author, now=now),
        *location_entry(held, said.place, now=now),
        *returned_flags(
            held,
            raised=with_scene_safety(held, said.flags_raised),
            ended=said.flags_ended,
            encounter_url=ours[0],
            now=now,
        ),
        *held.of_types(_CARRIED),
    ]
    return respond(
        held,
        envelope,
        definition=Definition.VALIDATION_RESPONSE_FULL,
        request_status=ServiceRequestStatus.ACTIVE,
        focus_url=ours[0],
        entries=entries,
    )


_CARRIED_WHEN_MISSED = (
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
        *_why_told(held, envelope, said),
        *held.of_types({"CarePlan"})[:1],
        *held.of_types({"Location"})[:1],
        *returned_flags(
            held, raised=_concern(said), encounter_url=held.requester_encounter[0], now=envelope.now
        ),
        *held.of_types([kind for kind in _CARRIED_WHEN_MISSED if kind != "CarePlan"]),
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


def _why_told(held: HeldRequest, envelope: Envelope, said: NonAttendance) -> list[Entry]:
    """The requester's Encounter, with the safeguarding reason as an Observation: FHIR takes no Flag there."""
    url, encounter = held.requester_encounter
    if not said.safeguarding_code:
        return [(url, encounter)]
    display = SAFEGUARDING.get(said.safeguarding_code, "")
    reason_url = held.part_url("safeguarding reason")
    reason: Resource = {
        **head("Observation", envelope.now),
        "status": "final",
        "code": {"coding": [coding(SAFEGUARDING_SYSTEM, said.safeguarding_code, display)], "text": display},
        "subject": {"reference": held.patient[0]},
        "encounter": {"reference": url},
        "effectiveDateTime": format_instant(envelope.now),
        "performer": [{"reference": responder_url(held, envelope.responder)}],
        "valueString": said.safeguarding_words.strip() or display,
    }
    told = {**encounter, "reasonReference": [{"reference": reason_url, "display": display}]}
    return [(url, told), (reason_url, filled(reason))]


def _concern(said: NonAttendance) -> list[RaisedFlag]:
    """Of whoever waited for the patient in vain."""
    code = said.safeguarding_code
    if not code:
        return []
    display = SAFEGUARDING.get(code, "")
    return [RaisedFlag(FlagCategory.SAFEGUARDING, code, display, said.safeguarding_words)]


def _appointment(held: HeldRequest, envelope: Envelope, said: NonAttendance, use_case: UseCase) -> Resource:
    appointment: Resource = {
        "resourceType": "Appointment",
        "meta": {"lastUpdated": format_instant(envelope.now), "profile": [uk_core("Appointment")]},
        "status": AppointmentStatus.NO_SHOW.value,
        "serviceCategory": [{"coding": [use_case.coding]}],
        "description": f"Booking {use_case.display}",
        "basedOn": [{"reference": f"ServiceRequest/{held.case_id}", "type": "ServiceRequest"}],
        "start": format_instant(said.expected_from),
        "end": format_instant(said.expected_until),
        "created": format_instant(envelope.now),
        "participant": [
            {"actor": {"reference": held.patient[0]}, "status": ParticipationStatus.ACCEPTED.value}
        ],
    }
    return {**appointment, "comment": said.words} if said.words.strip() else appointment


def build_response(
    *, kind: ReplyKind, held: HeldRequest, envelope: Envelope, content: ResponseContent, use_case: UseCase
) -> dict[str, Any]:
    """The whole Bundle. `content` is of its kind, as content.read_content gives it."""
    match kind:
        case ReplyKind.INTERIM:
            return validation_interim(held, envelope)
        case ReplyKind.REJECTED:
            return validation_rejected(held, envelope, cast(Rejection, content))
        case ReplyKind.FULL:
            return validation_full(held, envelope, cast(Outcome, content))
        case ReplyKind.DID_NOT_ATTEND:
            return did_not_attend(held, envelope, cast(NonAttendance, content), use_case=use_case)
        case ReplyKind.CAD_STATUS:
            return cad_response(held, envelope, cast(CadStatus, content))
        case ReplyKind.CAD_REJECTION:
            return cad_rejection(held, envelope, cast(Rejection, content))


def response_of(answer: CaseAnswer, *, bundle_id: UUID, now: datetime) -> dict[str, Any]:
    """The Bundle that tells the answer, as it is sent."""
    case, kind = answer.case, ReplyKind(answer.kind)
    return build_response(
        kind=kind,
        held=held_request(case),
        envelope=envelope_of(answer, bundle_id=bundle_id, now=now),
        content=read_content(kind, answer.content),
        use_case=UseCase(case.use_case),
    )
