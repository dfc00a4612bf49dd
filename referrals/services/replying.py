"""A response to a case that we sent; what answers nothing is refused or put before people."""

from django.db.models import Max

from bars_portal.audit.services import record
from bars_portal.exchange.context import MessageContext
from bars_portal.exchange.fhir.outcomes import OutcomeCode, fault
from bars_portal.exchange.registry import Applied
from bars_portal.patients.services import create_patient, open_journey
from directory.models import HealthcareService
from referrals.mapping import ReceivedReply
from referrals.models import Case, CaseReply, UnmatchedReply, owned_by
from referrals.selectors import lock_answered_case
from referrals.services.receiving import sender_columns
from referrals.services.status import change_case
from referrals.states import Category, ReplyKind

_RESPONSE = "Bundle.entry.resource.ofType(MessageHeader).response.identifier"


def receive_reply(*, received: ReceivedReply, context: MessageContext) -> Applied:
    """Write the reply and move the case. Raises OutcomeError: 400 invariant, 409 conflict when stale.

    A referral response that answers nothing of ours may be a safeguarding warning: kept, never refused.
    """
    case = lock_answered_case(
        category=received.category, bundle_id=received.answers, correlation_id=context.correlation_id
    )
    if case is not None:
        _apply(case, received, context)
    elif received.category is Category.REFERRAL:
        _keep_unmatched(received, context)
    else:
        words = "MessageHeader.response.identifier answers no validation request of ours"
        raise fault(OutcomeCode.INVARIANT, words, _RESPONSE)
    return Applied(focus=received.focus)


def _apply(case: Case, received: ReceivedReply, context: MessageContext) -> None:
    """The row is locked: replies of one case come one after the other, and the table has a row for each."""
    _check_not_stale(case, received)
    CaseReply.objects.create(**owned_by(case), **_columns(received, context))
    change_case(
        case=case,
        event=received.event,
        actor=context.actor,
        now=context.received_at,
        note=received.kind.label,
        message_id=context.inbound_id,
    )


def _check_not_stale(case: Case, received: ReceivedReply) -> None:
    """By the responder's own stamps. That a patient did not attend is never too late to be heard."""
    if received.kind is ReplyKind.DID_NOT_ATTEND or received.stamp is None:
        return
    rows = CaseReply.objects.filter(**owned_by(case))
    newest = rows.aggregate(newest=Max("responder_stamp"))["newest"]
    if newest is not None and received.stamp < newest:
        words = "The responder's Encounter.meta.lastUpdated is older than what we hold"
        raise fault(OutcomeCode.CONFLICT, words, "Bundle.entry.resource.ofType(Encounter).meta.lastUpdated")


def _keep_unmatched(received: ReceivedReply, context: MessageContext) -> None:
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
        patient=create_patient(details=received.patient, organisation=organisation, journey=journey, now=now),
        **_columns(received, context),
    )
    record(
        actor=context.actor,
        action="referrals.keep_unmatched_reply",
        subject=kept,
        outcome="unmatched",
        detail={"service_id": service.service_id, "kind": received.kind.value},
        correlation_id=context.correlation_id,
        now=now,
    )


def _columns(received: ReceivedReply, context: MessageContext) -> dict[str, object]:
    return {
        "kind": received.kind.value,
        "bundle_id": received.bundle.id[:64],
        "answers_bundle_id": received.answers,
        "message_id": context.inbound_id,
        "received_at": context.received_at,
        **received.columns,
        **sender_columns(context),
    }
