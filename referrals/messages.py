"""What referrals exchange: BaRS messages both ways, and what our receiver answers to GET /ServiceRequest.

Of a message `workflow` names the row of the table; for the reads see the standard, section 7.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

from django.db import models

from bars_portal.audit.actor import Actor
from bars_portal.correspondence.entries import Entry, distinct_urls, referred_to
from bars_portal.correspondence.searches import Asked
from bars_portal.exchange.fhir.access import check_access
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource, searchset
from bars_portal.exchange.fhir.codes import MessageCategory, MessageReason, ServiceRequestStatus, UseCase
from bars_portal.exchange.fhir.outcomes import OutcomeCode, fault
from bars_portal.exchange.fhir.queries.patients import ServiceRequestQuery
from bars_portal.exchange.fhir.rules import table
from bars_portal.exchange.registry import (
    Addressing,
    Applied,
    MessageContext,
    MessageType,
    Outcome,
    ReadBack,
    ReadContext,
    Refusal,
    ResourceReader,
    register_message,
    register_reader,
)
from bars_portal.exchange.transport.client import BarsClient
from directory.selectors.access import rules_of
from referrals.cases import wire
from referrals.cases.models import Case
from referrals.cases.selectors import received_case
from referrals.cases.states import Category, ReplyKind
from referrals.cases.wire import included_in
from referrals.receiving.mapping import ReceivedCase, ReceivedResponse, parse_case, parse_response
from referrals.receiving.requests import receive_case, receive_end, receive_update
from referrals.receiving.responses import receive_response
from referrals.receiving.selectors import cases_found
from referrals.responding.bundles import response_of
from referrals.responding.delivery import settle_response, withdraw_overtaken
from referrals.responding.envelope import as_response, requester_address
from referrals.sending.latest import read_back_end, read_back_new, read_back_update
from referrals.sending.message import (
    as_case,
    end_message,
    ended_request,
    envelope_of,
    lock_sent,
    receiver_address,
    request_message,
)
from referrals.sending.outcomes import settle_end, settle_request, settle_update
from referrals.sending.updating import PendingUpdate

# A validation is asked for, and answered, while an ambulance waits.
URGENT = timedelta(minutes=30)


class RequestMessage(MessageType):
    """A servicerequest-request, both ways."""

    tried_for = timedelta(hours=1)
    of: ClassVar[Category]
    settle: ClassVar[Callable[..., None]]
    reads: ClassVar[Callable[..., ReadBack]]

    def addressing(self, subject: models.Model) -> Addressing:
        return receiver_address(as_case(subject))

    def handle_reply(self, subject_id: str, outcome: Outcome, *, actor: Actor, now: datetime) -> None:
        type(self).settle(case=lock_sent(self.of, subject_id), outcome=outcome, actor=actor, now=now)

    def read_back(self, subject_id: str, client: BarsClient, *, now: datetime) -> ReadBack:
        return type(self).reads(self.of, subject_id, client, now=now)

    def parse(self, bundle: MessageBundle, *, now: datetime) -> ReceivedCase:
        return parse_case(bundle, self.of, now=now)


class NewRequest(RequestMessage):
    starts_conversation = True
    settle = staticmethod(settle_request)
    reads = staticmethod(read_back_new)

    def build(self, subject: models.Model, *, bundle_id: UUID, now: datetime) -> dict[str, Any]:
        case = as_case(subject)
        return _whole(case, MessageReason.NEW, case.resource, included_in(case), bundle_id, now)

    def apply(self, parsed: ReceivedCase, context: MessageContext) -> Applied:
        return receive_case(received=parsed, context=context)


class RequestUpdate(RequestMessage):
    settle = staticmethod(settle_update)
    reads = staticmethod(read_back_update)

    def build(self, subject: models.Model, *, bundle_id: UUID, now: datetime) -> dict[str, Any]:
        case = as_case(subject)
        if case.pending is None:
            raise ValueError("There is no update to send.")
        pending = PendingUpdate(**case.pending)
        return _whole(case, MessageReason.UPDATE, pending.resource, pending.included, bundle_id, now)

    def apply(self, parsed: ReceivedCase, context: MessageContext) -> Applied:
        return receive_update(received=parsed, context=context)


class RequestEnd(RequestMessage):
    settle = staticmethod(settle_end)
    reads = staticmethod(read_back_end)

    def build(self, subject: models.Model, *, bundle_id: UUID, now: datetime) -> dict[str, Any]:
        case = as_case(subject)
        ended = ended_request(
            case.resource,
            case_id=case.pk,
            category=MessageCategory(case.category.value),
            use_case=UseCase(case.use_case),
            status=ServiceRequestStatus(case.ending),
            reason=case.end_reason,
            now=now,
        )
        envelope = envelope_of(case, bundle_id=bundle_id, now=now)
        return end_message(envelope, request=ended, included=included_in(case))

    def apply(self, parsed: ReceivedCase, context: MessageContext) -> Applied:
        return receive_end(received=parsed, context=context)


def _whole(
    case: Case, reason: MessageReason, resource: Resource, included: list[Any], bundle_id: UUID, now: datetime
) -> dict[str, Any]:
    return request_message(
        envelope_of(case, bundle_id=bundle_id, now=now),
        category=MessageCategory(case.category.value),
        reason=reason,
        request=resource,
        included=included,
    )


@register_message
class ReferralNew(NewRequest):
    workflow = table.REFERRAL_NEW
    label = "New referral"
    of = Category.REFERRAL


@register_message
class ReferralUpdate(RequestUpdate):
    workflow = table.REFERRAL_UPDATE
    label = "Referral update"
    of = Category.REFERRAL


@register_message
class ReferralRevoked(RequestEnd):
    workflow = table.REFERRAL_REVOKED
    label = "Revoked referral"
    of = Category.REFERRAL


@register_message
class ReferralEnteredInError(RequestEnd):
    workflow = table.REFERRAL_ENTERED_IN_ERROR
    label = "Referral entered in error"
    of = Category.REFERRAL


@register_message
class ValidationNew(NewRequest):
    workflow = table.VALIDATION_NEW
    label = "New validation request"
    of = Category.VALIDATION
    tried_for = URGENT


@register_message
class ValidationUpdate(RequestUpdate):
    workflow = table.VALIDATION_UPDATE
    label = "Validation update"
    of = Category.VALIDATION
    tried_for = URGENT


@register_message
class ValidationCancelled(RequestEnd):
    workflow = table.VALIDATION_CANCELLED
    label = "Cancelled validation request"
    of = Category.VALIDATION
    tried_for = URGENT


class ResponseMessage(MessageType):
    """A servicerequest-response, both ways; its subject is a CaseAnswer."""

    of: ClassVar[Category]
    kind: ClassVar[ReplyKind]

    def addressing(self, subject: models.Model) -> Addressing:
        return requester_address(as_response(subject))

    def build(self, subject: models.Model, *, bundle_id: UUID, now: datetime) -> dict[str, Any]:
        return response_of(as_response(subject), bundle_id=bundle_id, now=now)

    def handle_reply(self, subject_id: str, outcome: Outcome, *, actor: Actor, now: datetime) -> None:
        settle_response(answer_id=UUID(subject_id), outcome=outcome, actor=actor, now=now)

    def withdraw(self, subject_id: str, *, actor: Actor, now: datetime) -> bool:
        return withdraw_overtaken(answer_id=UUID(subject_id), actor=actor, now=now)

    def parse(self, bundle: MessageBundle, *, now: datetime) -> ReceivedResponse:
        return parse_response(bundle, self.kind, self.of, now=now)

    def apply(self, parsed: ReceivedResponse, context: MessageContext) -> Applied | Refusal:
        return receive_response(received=parsed, context=context)


@register_message
class ValidationInterim(ResponseMessage):
    workflow = table.VALIDATION_INTERIM
    label = "Validation started"
    of, kind = Category.VALIDATION, ReplyKind.INTERIM
    tried_for = URGENT


@register_message
class ValidationRejected(ResponseMessage):
    workflow = table.VALIDATION_REJECTED
    label = "Validation rejected"
    of, kind = Category.VALIDATION, ReplyKind.REJECTED
    tried_for = URGENT


@register_message
class ValidationFull(ResponseMessage):
    workflow = table.VALIDATION_FULL
    label = "Validation outcome"
    of, kind = Category.VALIDATION, ReplyKind.FULL
    tried_for = URGENT


@register_message
class ReferralDidNotAttend(ResponseMessage):
    workflow = table.REFERRAL_DID_NOT_ATTEND
    label = "Patient did not attend"
    of, kind = Category.REFERRAL, ReplyKind.DID_NOT_ATTEND


@register_message
class CadResponse(ResponseMessage):
    workflow = table.CAD_RESPONSE
    label = "Ambulance control status"
    of, kind = Category.REFERRAL, ReplyKind.CAD_STATUS
    tried_for = URGENT


@register_message
class CadRejection(ResponseMessage):
    workflow = table.CAD_REJECTION
    label = "Ambulance control rejection"
    of, kind = Category.REFERRAL, ReplyKind.CAD_REJECTION
    tried_for = URGENT


@register_reader
class ServiceRequestReader(ResourceReader):
    resource_type = "ServiceRequest"

    def read(self, resource_id: UUID, context: ReadContext) -> Resource | None:
        """The current version, whatever became of the case. Raises OutcomeError (401)."""
        case = received_case(resource_id)
        if case is None or not context.reaches(case.service.service_id):
            return None
        context.opened.append(case)
        service = case.service
        check_access(service.allowed_callers, rules_of(service), context.caller)
        held: Resource = case.resource
        return held

    def search(self, params: Sequence[tuple[str, str]], context: ReadContext) -> dict[str, Any]:
        """Requests by patient or identifier, with what they refer to. Raises OutcomeError (400, 401)."""
        asked = Asked.of(params, kind=self.resource_type, now=context.received_at)
        found = cases_found(
            service_id=context.target,
            query=ServiceRequestQuery.parse(asked.params),
            caller=context.caller,
            after=asked.after,
        )
        if found.is_barred:
            raise fault(OutcomeCode.NOT_PERMITTED, "This organisation may not use the service")
        context.opened.extend(found.rows)
        groups = distinct_urls([(case.pk, _with_what_it_names(case)) for case in found.rows])
        return searchset(
            bundle_id=uuid4(),
            now=context.received_at,
            # Nothing about the patient in an address, not even in our answer.
            self_link=self.resource_type,
            next_link=asked.next_link(found, kind=self.resource_type, now=context.received_at),
            total=found.total,
            matches=[group[0] for group in groups],
            included=[entry for group in groups for entry in group[1:]],
        )


def _with_what_it_names(case: Case) -> list[Entry]:
    """The request, everything it refers to, and our own Encounter with the reference."""
    around = [(url, resource) for url, resource in included_in(case)]
    reached = referred_to(case.resource, around)
    urls = {url for url, _ in reached}
    ours = wire.own_encounter_id(case.pk)
    own = [(url, each) for url, each in around if each.get("id") == ours and url not in urls]
    return [(case.sender_full_url, case.resource), *reached, *own]
