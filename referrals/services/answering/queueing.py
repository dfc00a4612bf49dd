"""An answer and its message, written in the transaction of the decision."""

from datetime import datetime

from bars_portal.accounts.acting import Acting
from bars_portal.audit.services import record
from bars_portal.exchange import outbox
from bars_portal.exchange.models import OutboundMessage
from directory.remote import sender_identity
from referrals.answer_states import MESSAGE_KEYS, AnswerEvent, next_answer_state
from referrals.answer_words import NO_ADDRESS
from referrals.content_answers import AnswerContent, store_content
from referrals.models import Case, CaseAnswer, owned_by
from referrals.selectors.answers import request_bundle_id, was_sent_before
from referrals.states import ReplyKind


def queue_answer(
    *, case: Case, kind: ReplyKind, content: AnswerContent, acting: Acting, now: datetime
) -> CaseAnswer:
    """Where the request names no address for replies the answer is kept, and says so."""
    reachable = bool(case.source_service_id)
    event = AnswerEvent.QUEUE if reachable else AnswerEvent.KEEP_BACK
    answer = CaseAnswer.objects.create(
        **owned_by(case),
        kind=kind.value,
        content=store_content(kind, content),
        answers_bundle_id=request_bundle_id(case),
        is_update=was_sent_before(case),
        state=next_answer_state(None, event).value,
        explanation="" if reachable else NO_ADDRESS,
        author=acting.user,
        author_label=acting.actor.label,
        created_at=now,
        settled_at=None if reachable else now,
    )
    if reachable:
        _remember(answer, send_message(answer=answer, acting=acting, now=now))
    record(
        actor=acting.actor,
        action="referrals.answer_case",
        subject=answer,
        outcome=answer.state,
        detail={"kind": kind.value, "service_id": case.service.service_id},
        correlation_id=case.correlation_id,
        now=now,
    )
    return answer


def send_message(*, answer: CaseAnswer, acting: Acting, now: datetime) -> OutboundMessage:
    """A new message of the answer, with ids of its own."""
    sender = sender_identity(acting)
    return outbox.enqueue(
        key=MESSAGE_KEYS[ReplyKind(answer.kind)],
        subject=answer,
        organisation=sender.organisation,
        practitioner=sender.practitioner,
        actor=sender.actor,
        now=now,
    )


def _remember(answer: CaseAnswer, message: OutboundMessage) -> None:
    answer.bundle_id = str(message.bundle_id)
    answer.save(update_fields=["bundle_id"])
