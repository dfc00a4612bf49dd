"""A response and its message: queued with the decision, settled by its delivery, sent once more.

Why it was not taken stands here in plain words, with the next step.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.correspondence.explanations import Explanations
from bars_portal.correspondence.history import send_again, tell
from bars_portal.correspondence.states import TransitionRefused
from bars_portal.exchange import delivery, outbox
from bars_portal.exchange.models import OutboundMessage
from bars_portal.exchange.registry import Outcome
from bars_portal.exchange.transport.judgement import Delivery
from directory.remote import sender_identity
from referrals.cases.models import Case, CaseAnswer, owned_by
from referrals.cases.selectors import (
    later_responses,
    locked_case,
    request_bundle_id,
    response_with_case,
    was_sent_before,
)
from referrals.cases.states import ReplyKind, ResponseEvent, ResponseState, next_response_state
from referrals.responding import policies
from referrals.responding.content import ResponseContent, store_content

NO_ADDRESS = "The request does not say where an answer can go. Telephone the requester."
STUCK = (
    "The requester's system refused this answer each time we repeated it. Send it as a new message: if the "
    "first one arrived after all, the requester reads the same twice."
)
OVERTAKEN = "A later answer had reached the requester already."
RESPONSE = Explanations(
    unknown=(
        "We do not know whether the requester has this answer: there was no clear reply. Check again, and "
        "telephone when it is urgent."
    ),
    still_trying=(
        "We do not know yet whether the requester has this answer: there was no clear reply. We are still "
        "trying by ourselves; telephone when it is urgent."
    ),
    refusals={
        ("CONFLICT", ""): (
            "The requester's system holds something newer than this answer. Look at the case again, and "
            "telephone when in doubt."
        ),
        ("NOT_FOUND", ""): "The requester's system does not know this case. Telephone the requester.",
        ("UNPROCESSABLE_ENTITY", ""): (
            "For the requester this case is over. Telephone when the answer still matters."
        ),
        ("UNAUTHORIZED", ""): (
            "The requester's system does not take answers from us. Telephone the requester."
        ),
        ("FORBIDDEN", ""): "The requester's system does not take answers from us. Telephone the requester.",
    },
    otherwise=(
        "The requester's system did not take this answer. Telephone the requester, and tell your IT support."
    ),
    never_sent=(
        "The requester's system could not be reached in time, so this answer never went out. Telephone the "
        "requester, or send it again."
    ),
    nothing="The requester does not have this answer.",
    instead="Telephone the requester",
    network="referral network",
    not_on_network="The requester's address for answers is not on the network. Telephone the requester.",
)


# Keys of exchange.fhir.rules.table.
MESSAGE_KEYS: Mapping[ReplyKind, str] = {
    ReplyKind.INTERIM: "validation-interim",
    ReplyKind.REJECTED: "validation-rejected",
    ReplyKind.FULL: "validation-full",
    ReplyKind.DID_NOT_ATTEND: "referral-did-not-attend",
    ReplyKind.CAD_STATUS: "cad-response",
    ReplyKind.CAD_REJECTION: "cad-rejection",
}


def queue_response(
    *, case: Case, kind: ReplyKind, content: ResponseContent, acting: Acting, now: datetime
) -> CaseAnswer:
    """Where the request names no address for replies the answer is kept, and says so."""
    reachable = bool(case.source_service_id)
    event = ResponseEvent.QUEUE if reachable else ResponseEvent.KEEP_BACK
    answer = CaseAnswer.objects.create(
        **owned_by(case),
        kind=kind.value,
        content=store_content(kind, content),
        answers_bundle_id=request_bundle_id(case),
        is_update=was_sent_before(case),
        state=next_response_state(None, event).value,
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


_EVENTS = {
    Delivery.ACCEPTED: ResponseEvent.CONFIRM,
    Delivery.DUPLICATE: ResponseEvent.CONFIRM,
    Delivery.FOUND: ResponseEvent.CONFIRM,
    Delivery.REFUSED: ResponseEvent.REFUSE,
    Delivery.UNKNOWN: ResponseEvent.LOSE,
}


def settle_response(*, answer_id: UUID, outcome: Outcome, actor: Actor, now: datetime) -> CaseAnswer:
    """Delivered, refused or not known; the case stays what our people decided.

    Raises TransitionRefused when the answer is not on its way.
    """
    answer = response_with_case(answer_id)
    change_response(
        answer=answer,
        event=_EVENTS[outcome.delivery],
        explanation=_words(answer, outcome),
        actor=actor,
        now=now,
    )
    return answer


def withdraw_overtaken(*, answer_id: UUID, actor: Actor, now: datetime) -> bool:
    """An answer that nobody needs any more, as the requester holds a later one; False when it is needed."""
    answer = response_with_case(answer_id)
    if answer.state not in (ResponseState.SENDING, ResponseState.UNKNOWN):
        return True
    if not later_responses(answer).filter(state=ResponseState.DELIVERED).exists():
        return False
    change_response(answer=answer, event=ResponseEvent.REFUSE, explanation=OVERTAKEN, actor=actor, now=now)
    return True


def _words(answer: CaseAnswer, outcome: Outcome) -> str:
    """Refused because the requester had heard more by then is nothing to look after."""
    heard_more = later_responses(answer).filter(state=ResponseState.DELIVERED)
    if outcome.delivery is Delivery.REFUSED and heard_more.exists():
        return OVERTAKEN
    return RESPONSE.explain(outcome)


def change_response(
    *,
    answer: CaseAnswer,
    event: ResponseEvent,
    actor: Actor,
    now: datetime,
    explanation: str = "",
    bundle_id: str | None = None,
) -> None:
    """Move the answer along its table, on the state before. Raises TransitionRefused: somebody was first."""
    before = ResponseState(answer.state)
    after = next_response_state(before, event)
    values = {
        "state": after.value,
        "explanation": explanation,
        "settled_at": None if after is ResponseState.SENDING else now,
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
    tell(answer.case, f"answer-{after.value}", now=now)


@transaction.atomic
def check_response_again(*, answer: CaseAnswer, acting: Acting, now: datetime) -> CaseAnswer:
    """The very same bytes and ids, so that nothing is told twice.

    Raises PolicyRefused, and TransitionRefused when somebody else pressed first.
    """
    held = _locked(answer)
    policies.check_can_check_again(acting, held)
    change_response(answer=held, event=ResponseEvent.CHECK_AGAIN, actor=acting.actor, now=now)
    send_again(held)
    return held


@transaction.atomic
def send_response_again(*, answer: CaseAnswer, acting: Acting, now: datetime) -> CaseAnswer:
    """A new message with the same content: the requester's system does not hold the old, or never says.

    The old one is set aside, so that nobody repeats it. The new one answers the request as we hold it now.
    Raises PolicyRefused, and TransitionRefused when somebody else pressed first.
    """
    held = _locked(answer)
    policies.check_can_send_again(acting, held)
    stuck = outbox.given_up_refused(held)
    if stuck is not None and not delivery.set_aside(stuck, now=now):
        raise TransitionRefused("The message is being sent again.")
    held.answers_bundle_id = request_bundle_id(held.case)
    held.save(update_fields=["answers_bundle_id"])
    message = send_message(answer=held, acting=acting, now=now)
    change_response(
        answer=held,
        event=ResponseEvent.SEND_AGAIN,
        actor=acting.actor,
        now=now,
        bundle_id=str(message.bundle_id),
    )
    return held


def _locked(answer: CaseAnswer) -> CaseAnswer:
    """The answer as it stands, its case's row locked: no decision slips in between."""
    case = answer.case
    locked_case(case.category, case.pk)
    return response_with_case(answer.pk)
