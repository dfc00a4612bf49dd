"""A response to a case that we sent; what answers nothing is refused or put before people.

What is refused about a case that we know stays in its history.
"""

from bars_portal.api.events import event_of
from bars_portal.audit.services import record
from bars_portal.correspondence.history import write_rows
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode, fault
from bars_portal.exchange.registry import Applied, MessageContext, Refusal
from bars_portal.patients.services import create_patient, open_journey
from directory.models import HealthcareService
from referrals.cases.duties import raise_duty, raise_update_duties
from referrals.cases.history import change_case
from referrals.cases.models import Case, CaseReply, UnmatchedReply, owned_by
from referrals.cases.states import UNMATCHED, CaseEvent, Category, ReplyKind
from referrals.receiving.mapping import ReceivedResponse
from referrals.receiving.requests import sender_columns
from referrals.receiving.selectors import lock_case_of_response


def was_asked(case: Case, context: MessageContext) -> bool:
    """By MessageHeader.source.endpoint, or as the organisation that provides the service.

    Every published validation response repeats source and destination of its request, so MessageHeader.source
    alone cannot decide (fhir/messages.md, first section). Only who got the request knows its Bundle.id, and a
    refused outcome could cost a patient more than one that is looked at twice: a response of somebody else is
    taken, and the case says so.
    """
    source = context.source.value if context.source else ""
    return is_asked(case, source_service_id=source, ods_code=context.sender_ods_code)


def is_asked(case: Case, *, source_service_id: str, ods_code: str) -> bool:
    """The same for a reply that is kept."""
    same_service = source_service_id == case.service.service_id
    asked = case.service.provider.ods_code
    return same_service or (bool(asked) and ods_code.upper() == asked.upper())


_RESPONSE = "Bundle.entry.resource.ofType(MessageHeader).response.identifier"
_STAMP = "Bundle.entry.resource.ofType(Encounter).meta.lastUpdated"


def receive_response(*, received: ReceivedResponse, context: MessageContext) -> Applied | Refusal:
    """Write the reply and move the case. Raises OutcomeError: 400 invariant for what answers nothing of ours.

    Refused, and noted in the case: 409 conflict when stale. A referral response that is not matched may be
    a safeguarding warning: kept, never refused.
    """
    case = lock_case_of_response(
        category=received.category, bundle_id=received.answers, correlation_id=context.correlation_id
    )
    if case is not None:
        return _keep_matched(case, received, context)
    if received.category is Category.VALIDATION:
        words = "MessageHeader.response.identifier answers no validation request of ours"
        raise fault(OutcomeCode.INVARIANT, words, _RESPONSE)
    _keep_unmatched(received, context)
    return Applied(focus=received.focus)


def _keep_matched(case: Case, received: ReceivedResponse, context: MessageContext) -> Applied | Refusal:
    """The row is locked: replies of one case come one after the other, and the table has a row for each."""
    if _is_stale(case, received):
        words = "The responder's Encounter.meta.lastUpdated is older than what we hold"
        return _refuse(case, received, context, Issue(OutcomeCode.CONFLICT, words, (_STAMP,)))
    reply = CaseReply.objects.create(**owned_by(case), **_columns(received, context))
    raise_duty(case=case, reply=reply, actor=context.actor, now=context.received_at)
    found = _found_since(case, received)
    if found:
        raise_update_duties(case=case, actor=context.actor, now=context.received_at)
    change_case(
        case=case,
        event=received.event,
        actor=context.actor,
        now=context.received_at,
        note=_note(case, received, context),
        message_id=context.inbound_id,
        # What a responder found warns of our own case too; only people take a warning away.
        changes={"scene_unsafe": True} if _SCENE in found else None,
    )
    return Applied(focus=received.focus)


_SCENE, _CONCERN = "the scene is not safe", "there is a safeguarding concern"


def _found_since(case: Case, received: ReceivedResponse) -> list[str]:
    """Dangers that an outcome tells of, and that we did not state."""
    if received.kind is not ReplyKind.FULL:
        return []
    told = ((_SCENE, received.scene_unsafe and not case.scene_unsafe),)
    concern = bool(received.columns.get("safeguarding")) and not case.safeguarding
    return [words for words, new in (*told, (_CONCERN, concern)) if new]


def _note(case: Case, received: ReceivedResponse, context: MessageContext) -> str:
    label = ", ".join([received.kind.label, *_found_since(case, received)])
    if was_asked(case, context):
        return label
    return f"{label}, from {_named(context)}, who was not asked"


def _named(context: MessageContext) -> str:
    service = f"service {context.source.value}" if context.source else "a service without a name"
    return " of ".join(filter(None, (service, context.sender_name or context.sender_ods_code)))


def _refuse(case: Case, received: ReceivedResponse, context: MessageContext, issue: Issue) -> Refusal:
    """The case stays as it is; that somebody tried, when and with what answer belongs to its history."""
    change_case(
        case=case,
        event=CaseEvent.REFUSE_REPLY,
        actor=context.actor,
        now=context.received_at,
        note=f"{received.kind.label}, too late, from {_named(context)}: answered {issue.code.status}",
        message_id=context.inbound_id,
    )
    return Refusal((issue,))


def _is_stale(case: Case, received: ReceivedResponse) -> bool:
    """By the responder's own stamps. That a patient did not attend is never too late to be heard."""
    if received.kind is ReplyKind.DID_NOT_ATTEND or received.stamp is None:
        return False
    return CaseReply.objects.filter(**owned_by(case), responder_stamp__gt=received.stamp).exists()


def _keep_unmatched(received: ReceivedResponse, context: MessageContext) -> None:
    now = context.received_at
    service = HealthcareService.objects.select_related("provider").get(
        service_id=context.service.service_id.value
    )
    organisation = service.provider
    journey = open_journey(
        organisation=organisation,
        correlation_id=context.correlation_id,
        journey_id=received.journey_id,
        now=now,
    )
    kept = UnmatchedReply.objects.create(
        organisation=organisation,
        service=service,
        journey=journey,
        patient=create_patient(
            details=received.patient,
            organisation=organisation,
            journey=journey,
            now=now,
            declared_by=context.actor,
            by_message=True,
        ),
        **_columns(received, context),
    )
    # Seen by whoever sees what was sent (referrals.cases.policies).
    told = event_of(
        kept,
        step=UNMATCHED,
        status=UNMATCHED,
        direction=Direction.SENT,
        service_id=service.service_id,
        now=now,
    )
    write_rows(told)
    record(
        actor=context.actor,
        action="referrals.keep_unmatched_reply",
        subject=kept,
        outcome=UNMATCHED,
        detail={"service_id": service.service_id, "kind": received.kind.value},
        correlation_id=context.correlation_id,
        now=now,
    )


def _columns(received: ReceivedResponse, context: MessageContext) -> dict[str, object]:
    return {
        "kind": received.kind.value,
        "bundle_id": received.bundle.key,
        "answers_bundle_id": received.answers,
        "message_id": context.inbound_id,
        "received_at": context.received_at,
        **received.columns,
        **sender_columns(context),
    }
