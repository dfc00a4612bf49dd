"""Received cases are answered, and the other organisation's sent case moves with the answer."""

from pathlib import Path
from typing import Any

import pytest

from bars_portal.audit.models import AuditEvent
from bars_portal.exchange.fhir.codes import ARPPriority, EncounterStatus, FlagCategory, RejectedReason
from bars_portal.exchange.models import OutboundMessage
from bookings.policies import PolicyRefused
from referrals.answer_states import AnswerState
from referrals.content_answers import CadStatus, Disposition, Place, RaisedFlag, Rejection
from referrals.models import CaseAnswer, CaseReply
from referrals.selectors import changes_of, replies_of
from referrals.selectors.answers import answers_of, notes_of, troubled_answers
from referrals.services import answering
from referrals.states import CaseStatus
from tests.factories.accounts import make_acting
from tests.factories.bookings import NOW
from tests.integration.bookings.loopback import refusing, timeout
from tests.integration.referrals.desk import AnsweringDesk, outcome, own_address
from tests.integration.referrals.desk import OWN_SERVICE_ID as REPLIES

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(shared_dir: Path, settings: Any) -> AnsweringDesk:
    own_address(settings)
    return AnsweringDesk(shared_dir)


def newest(desk: AnsweringDesk) -> CaseReply:
    reply = replies_of(desk.sent).last()
    assert reply is not None
    return reply


def test_a_validation_is_started_and_completed(desk: AnsweringDesk) -> None:
    case = desk.ask("VALREQ01")
    decided = answering.start_case(case=case, acting=desk.clinician, now=desk.later())
    assert decided.case.status == CaseStatus.IN_PROGRESS
    assert decided.answer is not None
    assert decided.answer.state == AnswerState.SENDING
    desk.deliver()
    decided.answer.refresh_from_db()
    assert (desk.sent.status, decided.answer.state) == (CaseStatus.IN_PROGRESS, AnswerState.DELIVERED)
    reply = newest(desk)
    assert (reply.responder_status, reply.answers_bundle_id) == ("in-progress", desk.bundle_id)
    assert reply.responder_reference == case.reference
    assert reply.source_service_id == desk.hub.service_id

    answering.complete_validation(case=case, outcome=outcome(), acting=desk.clinician, now=desk.later())
    desk.deliver()
    reply = newest(desk)
    assert desk.sent.status == CaseStatus.COMPLETED
    assert (reply.priority, reply.action_needed, reply.clock_start) == ("C5", False, NOW)
    assert reply.outcomes[-1]["text"] == "Spoke to the caller; no red flags."
    kinds = [(each.kind, each.is_update, each.state) for each in answers_of(case)]
    assert kinds == [("interim", False, "delivered"), ("full", True, "delivered")]
    message = OutboundMessage.objects.filter(message_type="validation-full").get()
    assert (message.service_id, message.correlation_id) == (REPLIES, desk.conversation)
    assert list(troubled_answers(desk.clinician)) == []
