"""What the messages about requests of ours have in common: addressing, building, and what an answer does."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db import models

from bars_portal.audit.actor import Actor
from bars_portal.exchange.context import MessageContext
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import (
    MessageCategory,
    MessageReason,
    ServiceRequestStatus,
    UseCase,
)
from bars_portal.exchange.fhir.rules import HostedService
from bars_portal.exchange.registry import Addressing, Applied, MessageType, Outcome
from bars_portal.exchange.transport.client import BarsClient
from bars_portal.sql import Question
from directory.selectors.services import receiving_service
from referrals import mapping
from referrals.included import included_in
from referrals.mapping import ReceivedCase, requests
from referrals.models import Case
from referrals.selectors import minutes_by_rule
from referrals.sent import as_case, envelope_of, find_sent, lock_sent, where_to
from referrals.services.answers import settle_end, settle_request, settle_update
from referrals.services.ending import receive_end
from referrals.services.receiving import receive_case
from referrals.services.updating import receive_update
from referrals.states import Category
from referrals.updates import PendingUpdate


class RequestMessage(MessageType):
    """A servicerequest-request, both ways; one subclass says which, one module which row of the table."""

    of: ClassVar[Category]
    settle: ClassVar[Callable[..., None]]

    def addressing(self, subject: models.Model) -> Addressing:
        return where_to(as_case(subject))

    def handle_reply(self, subject_id: str, outcome: Outcome, *, actor: Actor, now: datetime) -> None:
        type(self).settle(case=lock_sent(self.of, subject_id), outcome=outcome, actor=actor, now=now)

    def find_delivered(self, subject_id: str, client: BarsClient, *, now: datetime) -> Resource | None:
        return find_sent(self.of, subject_id, client, now=now)

    def parse(self, bundle: MessageBundle) -> ReceivedCase:
        return mapping.parse_case(bundle, self.of)


class NewRequest(RequestMessage):
    starts_conversation = True
    settle = staticmethod(settle_request)

    def build(self, subject: models.Model, *, bundle_id: UUID, now: datetime) -> dict[str, Any]:
        case = as_case(subject)
        return _whole(case, MessageReason.NEW, case.resource, included_in(case), bundle_id, now)

    def question(self, parsed: ReceivedCase, service: HostedService) -> Question:
        return minutes_by_rule(receiving_service(service), parsed.category, parsed.facts.priority)

    def apply(self, parsed: ReceivedCase, context: MessageContext) -> Applied:
        return receive_case(received=parsed, context=context)


class RequestUpdate(RequestMessage):
    settle = staticmethod(settle_update)

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

    def build(self, subject: models.Model, *, bundle_id: UUID, now: datetime) -> dict[str, Any]:
        case = as_case(subject)
        ended = requests.ended_request(
            case.resource,
            case_id=case.pk,
            category=MessageCategory(case.category.value),
            use_case=UseCase(case.use_case),
            status=ServiceRequestStatus(case.ending),
            reason=case.end_reason,
            now=now,
        )
        envelope = envelope_of(case, bundle_id=bundle_id, now=now)
        return requests.end_message(envelope, request=ended, included=included_in(case))

    def apply(self, parsed: ReceivedCase, context: MessageContext) -> Applied:
        return receive_end(received=parsed, context=context)


def _whole(
    case: Case, reason: MessageReason, resource: Resource, included: list[Any], bundle_id: UUID, now: datetime
) -> dict[str, Any]:
    return requests.request_message(
        envelope_of(case, bundle_id=bundle_id, now=now),
        category=MessageCategory(case.category.value),
        reason=reason,
        request=resource,
        included=included,
    )
