"""Requests that reach us: new, updated, taken back; inside the message's transaction (standard section 6)."""

from datetime import datetime, timedelta
from uuid import uuid4

from bars_portal.correspondence.envelope import new_reference
from bars_portal.correspondence.states import Direction, TransitionRefused
from bars_portal.exchange.fhir.access import is_paused
from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.fhir.codes import CAD_USE_CASES, ServiceRequestStatus
from bars_portal.exchange.fhir.json import as_text
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode, OutcomeError, fault
from bars_portal.exchange.registry import Applied, MessageContext
from bars_portal.patients.details import may_be_person
from bars_portal.patients.models import Journey, Patient
from bars_portal.patients.selectors import details_of
from bars_portal.patients.services import create_patient, open_journey
from directory.models import HealthcareService
from directory.selectors.services import receiving_service
from referrals.cases import wire
from referrals.cases.history import change_case, start_history, write_version
from referrals.cases.models import MODELS, Case
from referrals.cases.selectors import changed_here_since
from referrals.cases.states import CaseEvent, CaseStatus
from referrals.cases.wire import included_in
from referrals.parts.assessment import outcomes_of
from referrals.parts.request import columns
from referrals.receiving import mapping
from referrals.receiving.mapping import ReceivedCase
from referrals.receiving.selectors import hold_conversation, lock_received_case, minutes_by_rule

FULL_URL_LENGTH = 200


def receive_case(*, received: ReceivedCase, context: MessageContext) -> Applied:
    """Write the case with journey, patient, history and first version; gives what to answer with.

    Raises OutcomeError: 422 while the service takes no referrals.
    """
    now = context.received_at
    if is_paused(context.service.paused_until, now):
        # Final: a sender who is told to try again later leaves a patient waiting for that.
        raise fault(OutcomeCode.UNPROCESSABLE, "The service takes no new requests for now", REQUEST)
    service = receiving_service(context.service)
    organisation = service.provider
    # Asked before anything waits to be written: a question would send that first.
    breach_at = _due(received, service, now)
    journey = open_journey(
        organisation=organisation,
        correlation_id=context.correlation_id,
        journey_id=received.journey_id,
        now=now,
        is_surely_new=context.is_new_conversation,
    )
    patient = create_patient(
        details=received.patient,
        organisation=organisation,
        journey=journey,
        now=now,
        declared_by=context.actor,
        by_message=True,
    )
    case = MODELS[received.category](
        direction=Direction.RECEIVED,
        status=CaseStatus.RECEIVED,
        organisation=organisation,
        service=service,
        patient=patient,
        journey=journey,
        correlation_id=context.correlation_id,
        **columns(received.facts) | {"breach_at": breach_at},
        **sender_columns(context),
        sender_full_url=received.url[:FULL_URL_LENGTH],
        sender_stamps=mapping.stamps_of(received),
        message_id=context.inbound_id,
        created_at=now,
        updated_at=now,
    )
    encounter = _draw_ids(case, received, now)
    answer = mapping.whole_reply(received, focus=case.resource, others=[encounter], now=now)
    start_history(
        case=case,
        event=CaseEvent.RECEIVE,
        bundle_id=received.bundle.id,
        actor=context.actor,
        now=now,
        message_id=context.inbound_id,
    )
    return Applied(focus=(received.url, case.resource), included=[encounter], answer=answer)


def _due(received: ReceivedCase, service: HealthcareService, now: datetime) -> datetime | None:
    """As the message says, else by a rule of ours, when there is one."""
    if received.facts.breach_at is not None:
        return received.facts.breach_at
    codes = [each["code"] for each in outcomes_of(received.bundle) if each["code"]]
    minutes = minutes_by_rule(service, received.category, received.facts.priority, codes)
    return None if minutes is None else now + timedelta(minutes=minutes)


def sender_columns(context: MessageContext) -> dict[str, str]:
    """Who sent it: MessageHeader.source.endpoint and NHSD-End-User-Organisation."""
    return {
        "source_service_id": context.source.value if context.source else "",
        "sender_ods_code": context.sender_ods_code[:12],
        "sender_name": context.sender_name[:200],
    }


def _draw_ids(case: Case, received: ReceivedCase, now: datetime) -> tuple[str, Resource]:
    """Gives our Encounter, which tells the reference; when that is taken, the message is applied again."""
    case.id, case.reference = uuid4(), new_reference(case.organisation.name)
    encounter = mapping.own_encounter(
        received, case_id=case.id, reference=case.reference, status=CaseStatus.RECEIVED, now=now
    )
    case.resource = wire.accepted_request(received.request, case_id=case.id, version=1, now=now)
    return encounter


REQUEST = "Bundle.entry.resource.ofType(ServiceRequest)"


def known_case(received: ReceivedCase, context: MessageContext) -> Case:
    """The case, its row locked until the end of the message's transaction.

    Raises OutcomeError: 404 unknown, 401 somebody else's, 422 over already, 409 conflict older than held.
    """
    return _checked(_held(received, context), received, context)


def _held(received: ReceivedCase, context: MessageContext) -> Case | None:
    return lock_received_case(
        category=received.category,
        service_id=context.service.service_id,
        ids=received.ids,
        full_url=received.url[:FULL_URL_LENGTH],
        source=context.source,
        correlation_id=context.correlation_id,
        journey_id=received.journey_id,
    )


def _checked(case: Case | None, received: ReceivedCase, context: MessageContext) -> Case:
    if case is None:
        words = f"There is no such {received.category} request at this service"
        raise fault(OutcomeCode.NOT_FOUND, words, REQUEST)
    _check_theirs(case, context)
    if not case.is_current:
        words = "The request is over: it was taken back, rejected or completed already"
        raise fault(OutcomeCode.UNPROCESSABLE, words, f"{REQUEST}.status")
    _check_not_stale(case, received)
    return case


def _check_theirs(case: Case, context: MessageContext) -> None:
    """Only who asked may change it: the same source service, or the same organisation.

    401, not 403: the proxy replaces what a 403 says.
    """
    source = context.source.value if context.source else ""
    same_service = bool(source) and source == case.source_service_id
    same_organisation = bool(context.sender_ods_code) and context.sender_ods_code == case.sender_ods_code
    nameless = not (source or context.sender_ods_code or case.source_service_id or case.sender_ods_code)
    if not (same_service or same_organisation or nameless):
        raise fault(OutcomeCode.NOT_PERMITTED, "The request was made by another organisation")


def _check_not_stale(case: Case, received: ReceivedCase) -> None:
    if changed_here_since(case, mapping.version_told(received, case.pk)):
        words = "The request was changed here since the version that the message is about"
        raise fault(OutcomeCode.CONFLICT, words, f"{REQUEST}.meta.versionId")
    stale = mapping.stale_entries(received, case.sender_stamps)
    if stale:
        # What ends a case is the last of it, so a fast clock need not bar it; updates may come out of order.
        heard_at = case.message.received_at if case.message is not None and _ends(received) else None
        current = mapping.version_told(received, case.pk) == case.version
        stale = mapping.stale_entries(received, case.sender_stamps, heard_at=heard_at, is_current=current)
    issues = [Issue(OutcomeCode.CONFLICT, f"{path} is older than what we hold", (path,)) for path in stale]
    if issues:
        raise OutcomeError(*issues)


def receive_update(*, received: ReceivedCase, context: MessageContext) -> Applied:
    """Lay the message over the case as a new version. Raises OutcomeError as `known_case` does.

    Of Application 6 it may be the first that we hear of the case (standard section 12).
    """
    now, held = context.received_at, _held(received, context)
    if held is None and context.service.active and _may_begin(received):
        # Whoever else begins the conversation has committed it then, and it is looked for again.
        hold_conversation(context.correlation_id)
        held = _held(received, context)
        if held is None and not _knows_conversation(context):
            return receive_case(received=received, context=context)
    case = _checked(held, received, context)
    request = mapping.merged_request(received, case.resource, case.sender_stamps)
    merged = mapping.merged_entries(received, included_in(case), case.sender_stamps)
    stands = mapping.merged_case(received, request, merged, now=now)
    encounter = mapping.own_encounter(
        received, case_id=case.pk, reference=case.reference, status=CaseStatus(case.status), now=now
    )
    others = [*merged, encounter]
    version = case.version + 1
    resource = wire.accepted_request(request, case_id=case.pk, version=version, now=now)
    answer = mapping.whole_reply(received, focus=resource, others=others, now=now)
    journey = _journey(case, stands, now)
    changes = {
        **columns(stands.facts),
        "resource": resource,
        "included": wire.read_back(answer, focus_id=case.pk),
        "sender_stamps": {**case.sender_stamps, **mapping.stamps_of(received)},
        "version": version,
        "message_id": context.inbound_id,
        "journey": journey,
        "patient": _patient(case, stands, journey, context),
    }
    apply_change(case, CaseEvent.RECEIVE_UPDATE, changes, received, context)
    return Applied(focus=(received.url, case.resource), included=others, answer=answer)


def _may_begin(received: ReceivedCase) -> bool:
    """An ambulance control's update that names no request of ours by its id."""
    is_named = wire.uuid_or_none(as_text(received.request.get("id"))) is not None
    return received.facts.use_case in CAD_USE_CASES and not is_named


def _knows_conversation(context: MessageContext) -> bool:
    organisation = receiving_service(context.service).provider
    return Journey.objects.filter(organisation=organisation, correlation_id=context.correlation_id).exists()


def apply_change(
    case: Case,
    event: CaseEvent,
    changes: dict[str, object],
    received: ReceivedCase,
    context: MessageContext,
    *,
    note: str = "",
) -> None:
    """The change, its history row and its version. Raises OutcomeError 409: somebody was first."""
    now, message_id = context.received_at, context.inbound_id
    try:
        change_case(
            case=case,
            event=event,
            actor=context.actor,
            now=now,
            note=note,
            message_id=message_id,
            changes=changes,
        )
    except TransitionRefused:
        raise fault(OutcomeCode.CONFLICT, "The request was changed at the same moment", REQUEST) from None
    write_version(case=case, bundle_id=received.bundle.id, message_id=message_id, now=now)


def _journey(case: Case, received: ReceivedCase, now: datetime) -> Journey:
    """An update may be the first message of the case that names its journey."""
    if case.journey.journey_id is not None or received.journey_id is None:
        return case.journey
    return open_journey(
        organisation=case.organisation,
        correlation_id=case.journey.correlation_id,
        journey_id=received.journey_id,
        now=now,
    )


def _patient(case: Case, received: ReceivedCase, journey: Journey, context: MessageContext) -> Patient:
    """A patient of whom the update knows more, or something else, is written anew: history keeps the old."""
    if received.patient == details_of(case.patient):
        return case.patient
    return create_patient(
        details=received.patient,
        organisation=case.organisation,
        journey=journey,
        now=context.received_at,
        declared_by=context.actor,
        by_message=True,
    )


_EVENTS = {
    ServiceRequestStatus.REVOKED.value: CaseEvent.RECEIVE_REVOKE,
    ServiceRequestStatus.ENTERED_IN_ERROR.value: CaseEvent.RECEIVE_ENTERED_IN_ERROR,
}


def _ends(received: ReceivedCase) -> bool:
    return str(received.request.get("status")) in _EVENTS


def receive_end(*, received: ReceivedCase, context: MessageContext) -> Applied:
    """End the case as ServiceRequest.status says. What it held stays: a cancel leaves most of it out.

    Raises OutcomeError as `known_case` does, and 422 when it tells of somebody else.
    """
    case = known_case(received, context)
    if not may_be_person(case.patient, received.patient):
        words = "The patient is not the one whom the request was made for"
        raise fault(OutcomeCode.UNPROCESSABLE, words, "Bundle.entry.resource.ofType(Patient)")
    version = case.version + 1
    ended = mapping.ended_request(case.resource, received.request, version=version, now=context.received_at)
    changes = {
        "resource": ended,
        # From now on the message is another one, which leaves most of it out.
        "included": included_in(case),
        "sender_stamps": {**case.sender_stamps, **mapping.stamps_of(received)},
        "version": version,
        "message_id": context.inbound_id,
    }
    event, why = _EVENTS[str(received.request.get("status"))], mapping.why_ended(received.request)
    apply_change(case, event, changes, received, context, note=why)
    answer = wire.accepted_request(
        received.request, case_id=case.pk, version=version, now=context.received_at
    )
    return Applied(focus=(received.url, answer))
