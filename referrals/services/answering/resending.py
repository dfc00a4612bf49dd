"""An answer that did not arrive, or of which nobody knows, goes out once more."""

from datetime import datetime

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.exchange import delivery, outbox
from referrals import answer_policies
from referrals.answer_states import AnswerEvent
from referrals.models import CaseAnswer
from referrals.selectors.answers import answer_with_case, request_bundle_id
from referrals.services.answering.deciding import locked_case
from referrals.services.answering.queueing import send_message
from referrals.services.answering.settling import change_answer
from referrals.states import TransitionRefused


@transaction.atomic
def check_answer_again(*, answer: CaseAnswer, acting: Acting, now: datetime) -> CaseAnswer:
    """The very same bytes and ids, so that nothing is told twice.

    Raises PolicyRefused, and TransitionRefused when somebody else pressed first.
    """
    held = _locked(answer)
    answer_policies.check_can_check_again(acting, held)
    change_answer(answer=held, event=AnswerEvent.CHECK_AGAIN, actor=acting.actor, now=now)
    message = outbox.waiting_for_check(held)
    if message is None or not delivery.queue_again(message):
        raise TransitionRefused("check-again: the message is not waiting for a check")
    outbox.announce_on_commit(message)
    return held


@transaction.atomic
def send_answer_again(*, answer: CaseAnswer, acting: Acting, now: datetime) -> CaseAnswer:
    """A new message with the same content: the requester's system has said that it does not hold the old.

    It answers the request as we hold it now. Raises PolicyRefused, and TransitionRefused when somebody else
    pressed first.
    """
    held = _locked(answer)
    answer_policies.check_can_send_again(acting, held)
    held.answers_bundle_id = request_bundle_id(held.case)
    held.save(update_fields=["answers_bundle_id"])
    message = send_message(answer=held, acting=acting, now=now)
    change_answer(
        answer=held,
        event=AnswerEvent.SEND_AGAIN,
        actor=acting.actor,
        now=now,
        bundle_id=str(message.bundle_id),
    )
    return held


def _locked(answer: CaseAnswer) -> CaseAnswer:
    """The answer as it stands, its case's row locked: no decision slips in between."""
    case = answer.case
    locked_case(case.category, case.pk)
    return answer_with_case(answer.pk)
