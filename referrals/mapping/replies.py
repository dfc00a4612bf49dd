"""A servicerequest-response that reached us, read once into a type of our own."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import CarePlanStatus, EncounterStatus
from bars_portal.exchange.fhir.outcomes import OutcomeCode, fault
from bars_portal.exchange.fhir.reading import as_text, codings, dicts
from bars_portal.exchange.fhir.rules.parts import (
    journey_id,
    request_of,
    requester_encounter,
    responder_encounter,
    use_case_of,
)
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.mapping import patient_from_fhir
from referrals.mapping import clinical, reading
from referrals.states import CaseEvent, Category, ReplyKind

_EVENTS = {
    ReplyKind.INTERIM: CaseEvent.HEAR_STARTED,
    ReplyKind.REJECTED: CaseEvent.HEAR_REJECTED,
    ReplyKind.FULL: CaseEvent.HEAR_COMPLETED,
    ReplyKind.DID_NOT_ATTEND: CaseEvent.HEAR_NON_ATTENDANCE,
    ReplyKind.CAD_REJECTION: CaseEvent.HEAR_REJECTED,
}
# Ambulance control says it by its own Encounter; any other status means that somebody is at it.
_CAD_EVENTS = {
    EncounterStatus.PLANNED.value: CaseEvent.HEAR_ACCEPTED,
    EncounterStatus.FINISHED.value: CaseEvent.HEAR_COMPLETED,
}


@dataclass(frozen=True)
class ReceivedReply:
    """What a response says. `answers` is the Bundle.id that it names; `stamp` the responder's own."""

    bundle: MessageBundle = field(repr=False)
    kind: ReplyKind
    category: Category
    event: CaseEvent
    answers: str
    use_case: str
    patient: PatientDetails = field(repr=False)
    journey_id: UUID | None
    stamp: datetime | None
    columns: dict[str, object] = field(repr=False)

    @property
    def focus(self) -> tuple[str, Resource]:
        return self.bundle.focus_url, self.bundle.focus or {}


def parse_reply(bundle: MessageBundle, kind: ReplyKind, category: Category) -> ReceivedReply:
    """Raises OutcomeError: 400 invariant without MessageHeader.response."""
    request = request_of(bundle) or {}
    if not bundle.response_identifier:
        words = "MessageHeader.response.identifier is missing: it says which request is answered"
        raise fault(OutcomeCode.INVARIANT, words, f"{bundle.path_of(bundle.header)}.response")
    responder = _responder(bundle, kind)
    return ReceivedReply(
        bundle=bundle,
        kind=kind,
        category=category,
        event=_event(kind, responder),
        answers=bundle.response_identifier[:64],
        use_case=use_case_of(bundle) or "",
        patient=patient_from_fhir(reading.patient_of(bundle, request)),
        journey_id=journey_id(bundle),
        stamp=reading.stamp_of(responder) if responder is not None else None,
        columns=_columns(bundle, request, responder),
    )


def _responder(bundle: MessageBundle, kind: ReplyKind) -> Resource | None:
    """The responder's Encounter; who tells that a patient did not attend need not have one."""
    found = responder_encounter(bundle)
    alone = kind is ReplyKind.DID_NOT_ATTEND and found is requester_encounter(bundle)
    return None if alone else found


def _event(kind: ReplyKind, responder: Resource | None) -> CaseEvent:
    if kind is not ReplyKind.CAD_STATUS:
        return _EVENTS[kind]
    return _CAD_EVENTS.get(as_text((responder or {}).get("status")), CaseEvent.HEAR_STARTED)


def _columns(bundle: MessageBundle, request: Resource, responder: Resource | None) -> dict[str, object]:
    """The columns of models.ReplyFacts that the message alone decides."""
    encounter = responder or {}
    reason = next(dicts(encounter.get("reasonCode")), {})
    coding = next(codings(reason), {})
    plan = clinical.plan_of(bundle)
    return {
        "responder_status": as_text(encounter.get("status"))[: reading.CODE],
        "reason_code": as_text(coding.get("code"))[: reading.CODE],
        "reason_text": (as_text(reason.get("text")) or as_text(coding.get("display")))[: reading.TEXT],
        "responder_reference": reading.identifier_of(responder),
        "responder_stamp": reading.stamp_of(encounter),
        "cad_id": reading.identifier_of(_third(bundle, responder)),
        "request_status": as_text(request.get("status"))[: reading.CODE],
        "outcomes": clinical.outcomes_of(bundle),
        "priority": clinical.priority_of(bundle, {}),
        "clock_start": clinical.clock_start(bundle),
        "action_needed": plan.get("status") == CarePlanStatus.ACTIVE if plan is not None else None,
        "safeguarding": clinical.has_safeguarding(bundle),
    }


def _third(bundle: MessageBundle, responder: Resource | None) -> Resource | None:
    """Neither the requester's nor the responder's: a new case at ambulance control (standard section 6)."""
    own = requester_encounter(bundle)
    encounters = bundle.of_type("Encounter")
    rest = [each for each in encounters if each is not own and each is not responder]
    return rest[0] if len(encounters) > 2 and rest else None
