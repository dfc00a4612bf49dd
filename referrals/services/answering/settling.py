"""What became of an answer: follows the delivery of its message, inside the transaction that settles it."""

from datetime import datetime
from uuid import UUID

from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.exchange.registry import Outcome
from bars_portal.exchange.transport.judgement import Delivery
from referrals.answer_states import AnswerEvent, AnswerState, next_answer_state
from referrals.answer_words import OVERTAKEN, explain_answer
from referrals.models import CaseAnswer
from referrals.selectors.answers import answer_with_case, later_answers
from referrals.states import TransitionRefused

_EVENTS = {
    Delivery.ACCEPTED: AnswerEvent.CONFIRM,
    Delivery.DUPLICATE: AnswerEvent.CONFIRM,
    Delivery.REFUSED: AnswerEvent.REFUSE,
    Delivery.UNKNOWN: AnswerEvent.LOSE,
}


def settle_answer(*, answer_id: UUID, outcome: Outcome, actor: Actor, now: datetime) -> CaseAnswer:
    """Delivered, refused or not known; the case stays what our people decided.

    Raises TransitionRefused when the answer is not on its way.
    """
    answer = answer_with_case(answer_id)
    change_answer(
        answer=answer,
        event=_EVENTS[outcome.delivery],
        explanation=_words(answer, outcome),
        actor=actor,
        now=now,
    )
    return answer


def withdraw_overtaken(*, answer_id: UUID, actor: Actor, now: datetime) -> bool:
    """An answer that nobody needs any more, as the requester holds a later one; False when it is needed."""
    answer = answer_with_case(answer_id)
    if answer.state not in (AnswerState.SENDING, AnswerState.UNKNOWN):
        return True
    if not later_answers(answer).filter(state=AnswerState.DELIVERED).exists():
        return False
    change_answer(answer=answer, event=AnswerEvent.REFUSE, explanation=OVERTAKEN, actor=actor, now=now)
    return True


def _words(answer: CaseAnswer, outcome: Outcome) -> str:
    """Refused because the requester had heard more by then is nothing to look after."""
    heard_more = later_answers(answer).filter(state=AnswerState.DELIVERED)
    if outcome.delivery is Delivery.REFUSED and heard_more.exists():
        return OVERTAKEN
    return explain_answer(outcome)


def change_answer(
    *,
    answer: CaseAnswer,
    event: AnswerEvent,
    actor: Actor,
    now: datetime,
    explanation: str = "",
    bundle_id: str | None = None,
) -> None:
    """Move the answer along its table, on the state before. Raises TransitionRefused: somebody was first."""
    before = AnswerState(answer.state)
    after = next_answer_state(before, event)
    values = {
        "state": after.value,
        "explanation": explanation,
        "settled_at": None if after is AnswerState.SENDING else now,
        "bundle_id": answer.bundle_id if bundle_id is None else bundle_id,
    }
    if not CaseAnswer.objects.filter(pk=answer.pk, state=before.value).update(**values):
        raise TransitionRefused(f"{event}: the answer is no longer {before}")
    for name, value in values.items():
        setattr(answer, name, value)
    record(
        actor=actor,
        action=f"referrals.{event.value.replace('-', '_')}_answer",
        subject=answer,
        outcome=after.value,
        detail={"kind": answer.kind},
        correlation_id=answer.case.correlation_id,
        now=now,
    )
