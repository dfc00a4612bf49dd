"""A new referral or validation request that reaches us, inside the message's transaction."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from bars_portal.correspondence.envelope import new_reference
from bars_portal.exchange.context import MessageContext
from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.registry import Applied
from bars_portal.patients.services import create_patient, open_journey
from bars_portal.sql import insert
from directory.selectors.services import receiving_service
from referrals import mapping
from referrals.mapping import Facts, ReceivedCase
from referrals.models import MODELS, Case
from referrals.services.status import start_history
from referrals.states import CaseEvent, CaseStatus, Direction

FULL_URL_LENGTH = 200


def receive_case(*, received: ReceivedCase, context: MessageContext) -> Applied:
    """Write the case with journey, patient, history and first version; gives what to answer with."""
    now = context.received_at
    service = receiving_service(context.service)
    organisation = service.provider
    journey = open_journey(
        organisation=organisation,
        correlation_id=context.correlation_id,
        journey_id=received.journey_id,
        is_surely_new=context.is_new_conversation,
        now=now,
    )
    patient = create_patient(details=received.patient, organisation=organisation, journey=journey, now=now)
    case = MODELS[received.category](
        direction=Direction.RECEIVED,
        status=CaseStatus.RECEIVED,
        organisation=organisation,
        service=service,
        patient=patient,
        journey=journey,
        correlation_id=context.correlation_id,
        **columns(received.facts) | {"breach_at": _due(received, context.told, now)},
        **sender_columns(context),
        sender_full_url=received.url[:FULL_URL_LENGTH],
        sender_stamps=mapping.stamps_of(received),
        message_id=context.inbound_id,
        created_at=now,
        updated_at=now,
    )
    encounter = _draw_ids(case, received, now)
    answer = mapping.whole_answer(received, focus=case.resource, others=[encounter], now=now)
    insert(case)
    start_history(
        case=case,
        event=CaseEvent.RECEIVE,
        bundle_id=received.bundle.id,
        actor=context.actor,
        now=now,
        message_id=context.inbound_id,
    )
    return Applied(focus=(received.url, case.resource), included=[encounter], answer=answer)


def _due(received: ReceivedCase, minutes: int | None, now: datetime) -> datetime | None:
    """As the message says, else by a rule of ours, when there is one."""
    by_rule = None if minutes is None else now + timedelta(minutes=minutes)
    return received.facts.breach_at or by_rule


def columns(facts: Facts) -> dict[str, Any]:
    """Columns of a case that a message decides."""
    return {**vars(facts), "flags": list(facts.flags), "booking_ids": list(facts.booking_ids)}


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
    case.resource = mapping.accepted_request(received.request, case_id=case.id, version=1, now=now)
    return encounter
