"""What becomes of a request that we sent, once its message is settled; inside that transaction."""

from datetime import datetime
from typing import Any

from bars_portal.audit.actor import Actor
from bars_portal.correspondence.entries import stored
from bars_portal.exchange import outbox
from bars_portal.exchange.fhir.codes import ServiceRequestStatus
from bars_portal.exchange.registry import Outcome
from bars_portal.exchange.transport.judgement import Delivery
from referrals.answered import Answered, answered
from referrals.explanations import DELIVERED_UNREAD, Purpose, explain, unclear
from referrals.included import included_in
from referrals.mapping import requests
from referrals.models import Case, Referral
from referrals.selectors import changes_of
from referrals.services.rereferring import continue_rereferral
from referrals.services.status import change_case, write_version
from referrals.states import CURRENT, CaseEvent, CaseStatus, Direction, next_status
from referrals.updates import PendingUpdate

_REFUSED_REVOKE = {
    CaseStatus.ACCEPTED: CaseEvent.REFUSE_REVOKE_ACCEPTED,
    CaseStatus.IN_PROGRESS: CaseEvent.REFUSE_REVOKE_STARTED,
}


def settle_request(*, case: Case, outcome: Outcome, actor: Actor, now: datetime) -> None:
    """The receiver has it, has not, or nobody knows; a reply that was quicker has the last word."""
    heard = case.status not in (CaseStatus.REQUESTED, CaseStatus.UNKNOWN)
    held = answered(outcome)
    if outcome.delivery is Delivery.REFUSED or outcome.delivery is Delivery.UNKNOWN or held.is_unclear:
        event = CaseEvent.REFUSE if outcome.delivery is Delivery.REFUSED else CaseEvent.LOSE
        words = explain(outcome, Purpose.SEND) or unclear(Purpose.SEND)
        _move(case, event, "" if heard else words, actor, now)
        return
    changes = {**_learned(case, held), "explanation": "" if held.request else DELIVERED_UNREAD}
    change_case(case=case, event=CaseEvent.CONFIRM, actor=actor, now=now, changes=changes)
    _note_taken_back(case, held, actor, now)


def settle_update(*, case: Case, outcome: Outcome, actor: Actor, now: datetime) -> None:
    """The update counts once it is taken; until then the case is what it was."""
    held = answered(outcome)
    if outcome.delivery is Delivery.REFUSED:
        words = explain(outcome, Purpose.UPDATE)
        _move(case, CaseEvent.REFUSE_UPDATE, words, actor, now, {"pending": None})
        return
    if outcome.delivery is Delivery.UNKNOWN or held.is_unclear:
        words = explain(outcome, Purpose.UPDATE) or unclear(Purpose.UPDATE)
        _move(case, CaseEvent.LOSE_UPDATE, words, actor, now)
        return
    changes = _updated(case, held)
    change_case(case=case, event=CaseEvent.CONFIRM_UPDATE, actor=actor, now=now, changes=changes)
    _write_version(case, now)
    _note_taken_back(case, held, actor, now)


def settle_end(*, case: Case, outcome: Outcome, actor: Actor, now: datetime) -> None:
    """Taken back (then a planned referral goes out), still standing, or not known."""
    held = answered(outcome)
    if outcome.delivery is Delivery.REFUSED:
        words = explain(outcome, Purpose.TAKE_BACK)
        event = _REFUSED_REVOKE.get(_reached(case), CaseEvent.REFUSE_REVOKE)
        _move(case, event, words, actor, now, {"ending": ""})
        return
    stands = bool(held.request) and not held.is_taken_back
    if outcome.delivery is Delivery.UNKNOWN or stands:
        words = explain(outcome, Purpose.TAKE_BACK) or unclear(Purpose.TAKE_BACK)
        _move(case, CaseEvent.LOSE_REVOKE, words, actor, now)
        return
    in_error = case.ending == ServiceRequestStatus.ENTERED_IN_ERROR
    change_case(
        case=case,
        event=CaseEvent.CONFIRM_IN_ERROR if in_error else CaseEvent.CONFIRM_REVOKE,
        actor=actor,
        now=now,
        changes={
            "resource": held.request or {**case.resource, "status": case.ending},
            "version": case.version + 1,
            "explanation": "",
        },
    )
    _write_version(case, now)
    if isinstance(case, Referral) and case.status == CaseStatus.REVOKED:
        continue_rereferral(referral=case, actor=actor, now=now)


def _learned(case: Case, held: Answered) -> dict[str, Any]:
    """The receiver's ids and reference; what it leaves out stays as it is known."""
    return {
        "remote_id": held.remote_id or case.remote_id,
        "reference": held.reference(case.pk) or case.reference,
        "resource": held.request or case.resource,
        "included": stored(requests.answered_entries(included_in(case), held.bundle)),
    }


def _updated(case: Case, held: Answered) -> dict[str, Any]:
    """What was pending, with the receiver's ids."""
    if case.pending is None:
        return _learned(case, held)
    pending = PendingUpdate(**case.pending)
    case.resource, case.included = pending.resource, pending.included
    patient = {"patient_id": pending.patient_id} if pending.patient_id else {}
    return {
        **pending.columns,
        **patient,
        **_learned(case, held),
        "content": pending.content,
        "pending": None,
        "version": case.version + 1,
        "explanation": "",
    }


def _note_taken_back(case: Case, held: Answered, actor: Actor, now: datetime) -> None:
    """Found by a read after a lost answer: it arrived, and has been taken back since."""
    if held.is_taken_back and case.status in CURRENT:
        note = "It had been taken back there already."
        change_case(case=case, event=CaseEvent.FIND_REVOKED, actor=actor, now=now, note=note)


def _reached(case: Case) -> CaseStatus:
    """How far the receiver is, by all that it has told us."""
    status = CaseStatus.SENT
    for change in changes_of(case):
        if change.event.startswith("hear-"):
            status = next_status(case.category, Direction.SENT, status, CaseEvent(change.event))
    return status


def _write_version(case: Case, now: datetime) -> None:
    """Named by the message that brought it about, so that replies to it find the case."""
    message = outbox.latest_for(case)
    write_version(case=case, bundle_id=str(message.bundle_id) if message else "", message_id=None, now=now)


def _move(
    case: Case,
    event: CaseEvent,
    words: str,
    actor: Actor,
    now: datetime,
    changes: dict[str, Any] | None = None,
) -> None:
    changes = {**(changes or {}), "explanation": words}
    change_case(case=case, event=event, actor=actor, now=now, note=words, changes=changes)
