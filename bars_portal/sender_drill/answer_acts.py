"""Acts of answering: what our people decide about a received case is told to the test service."""

from collections.abc import Callable
from datetime import timedelta

from bars_portal.exchange.fhir.codes import ARPPriority, UseCase
from bars_portal.sender_drill import stating
from bars_portal.sender_drill.desk import MODEL_SERVICE, Desk, DrillError, service, settle
from bars_portal.sender_drill.rows import Row
from bars_portal.sender_drill.told import Told
from referrals import services
from referrals.content_answers import Disposition, NonAttendance, Outcome
from referrals.models import MODELS, Case
from referrals.services import answering
from referrals.services.answering import Decided
from referrals.states import Category, Direction

_ASSESSMENT, _EMERGENCY = "2000099003", "2000099001"


def answer_started(desk: Desk, row: Row) -> Told:
    case = _received(desk, row, Category.VALIDATION)
    return _told(desk, answering.start_case(case=case, acting=desk.answering, now=desk.clock()))


def answer_outcome(desk: Desk, row: Row) -> Told:
    now, case = desk.clock(), _received(desk, row, Category.VALIDATION)
    outcome = Outcome(Disposition.HEAR_AND_TREAT, now, "No red flags.", priority=ARPPriority.C5)
    return _told(
        desk, answering.complete_validation(case=case, outcome=outcome, acting=desk.answering, now=now)
    )


def answer_did_not_attend(desk: Desk, row: Row) -> Told:
    now, case = desk.clock(), _received(desk, row, Category.REFERRAL)
    missed = NonAttendance(now - timedelta(hours=2), now - timedelta(hours=1), "Nobody came.")
    return _told(
        desk, answering.record_non_attendance(case=case, missed=missed, acting=desk.answering, now=now)
    )


def _received(desk: Desk, row: Row, category: Category) -> Case:
    """A request to a service of ours, through the proxy, as if the test service had sent it."""
    now, is_referral = desk.clock(), category is Category.REFERRAL
    send: Callable[..., Case] = services.request_referral if is_referral else services.request_validation
    sent = send(
        content=stating.content(UseCase.A1T1 if is_referral else UseCase.A4T1, now=now),
        details=stating.patient(row.nhs_number),
        service=service(_EMERGENCY if is_referral else _ASSESSMENT),
        acting=desk.sending,
        now=now,
    )
    settle(sent, desk)
    held = MODELS[category].objects.select_related("service__provider", "journey", "patient", "organisation")
    case = held.get(correlation_id=sent.correlation_id, direction=Direction.RECEIVED)
    case.source_service_id = row.service or MODEL_SERVICE
    case.save(update_fields=["source_service_id"])
    return case


def _told(desk: Desk, decided: Decided) -> Told:
    answer = decided.answer
    if answer is None:
        raise DrillError("The decision had no answer to send.")
    settle(answer, desk)
    return Told(answer.state, answer.explanation)
