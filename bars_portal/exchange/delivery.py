"""Sending what the outbox holds: claim, send outside any transaction, settle. The same for every attempt."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.models import DeliveryAttempt, DeliveryState, OutboundMessage
from bars_portal.exchange.registry import Outcome, message_type
from bars_portal.exchange.transport.answers import Delivery, Judgement, judge_answer, judge_error
from bars_portal.exchange.transport.client import Answer, BarsClient
from bars_portal.exchange.transport.errors import TransportError
from bars_portal.exchange.transport.headers import storable_headers

# Longer than one send can last, token renewals included, and than CELERY_TASK_TIME_LIMIT: a message that is
# still "sending" after this lost its worker.
STALE_AFTER = timedelta(seconds=180)

_STATE = {
    Delivery.ACCEPTED: DeliveryState.ACCEPTED,
    Delivery.DUPLICATE: DeliveryState.ACCEPTED,
    Delivery.REFUSED: DeliveryState.REFUSED,
    Delivery.UNKNOWN: DeliveryState.UNKNOWN,
}


@dataclass(frozen=True)
class Sent:
    """One attempt's end: an answer, or none."""

    judgement: Judgement
    answer: Answer | None = None


def deliver(message_id: UUID, *, client: BarsClient, clock: Callable[[], datetime]) -> DeliveryState | None:
    """Send one queued message once. None when it was not ours to send (sent already, or being sent)."""
    attempt = _claim(message_id, now=clock())
    if attempt is None:
        return None
    sent = _send(attempt.message, client)
    outcome = _outcome(attempt.message, sent, client, now=clock())
    return _settle(attempt, sent, outcome, now=clock())


def queue_again(message: OutboundMessage) -> bool:
    """Let an unknown message be sent once more, the very same bytes and ids. False when it is not unknown."""
    changed = OutboundMessage.objects.filter(pk=message.pk, state=DeliveryState.UNKNOWN).update(
        state=DeliveryState.QUEUED
    )
    return changed == 1


def stale_messages(*, now: datetime) -> list[UUID]:
    """Messages whose worker died while sending."""
    stale = OutboundMessage.objects.filter(state=DeliveryState.SENDING, sending_since__lt=now - STALE_AFTER)
    return list(stale.order_by("sending_since").values_list("pk", flat=True))


def settle_lost(message_id: UUID, *, now: datetime) -> DeliveryState | None:
    """Name a stale message unknown. None when its worker, or somebody else, was quicker."""
    attempts = DeliveryAttempt.objects.select_related("message").filter(message_id=message_id)
    last = attempts.order_by("-number").first()
    if last is None or last.started_at >= now - STALE_AFTER:
        return None
    lost = Sent(Judgement(Delivery.UNKNOWN, "worker-lost"))
    return _settle(last, lost, Outcome(Delivery.UNKNOWN, "worker-lost"), now=now)


def _claim(message_id: UUID, *, now: datetime) -> DeliveryAttempt | None:
    with transaction.atomic():
        claimed = OutboundMessage.objects.filter(pk=message_id, state=DeliveryState.QUEUED).update(
            state=DeliveryState.SENDING, sending_since=now
        )
        if not claimed:
            return None
        message = OutboundMessage.objects.get(pk=message_id)
        last = message.attempts.aggregate(last=Max("number"))["last"] or 0
        return DeliveryAttempt.objects.create(message=message, number=last + 1, started_at=now)


def _send(message: OutboundMessage, client: BarsClient) -> Sent:
    try:
        answer = client.post("/$process-message", body=bytes(message.body), headers=message.headers)
    except TransportError as error:
        return Sent(judge_error(error))
    judged = judge_answer(answer, request_id=message.request_id, correlation_id=message.correlation_id)
    return Sent(judged, answer)


def _outcome(message: OutboundMessage, sent: Sent, client: BarsClient, *, now: datetime) -> Outcome:
    judged, answer = sent.judgement, sent.answer
    found = reply = None
    if judged.delivery is Delivery.ACCEPTED and answer is not None:
        reply = MessageBundle.from_dict(json.loads(answer.body))
    if judged.delivery is Delivery.DUPLICATE:
        found = message_type(message.message_type).find_delivered(message.subject_id, client, now=now)
    return Outcome(judged.delivery, judged.reason, reply=reply, found=found, issues=judged.issues)


def _settle(attempt: DeliveryAttempt, sent: Sent, outcome: Outcome, *, now: datetime) -> DeliveryState | None:
    """Only the attempt that holds the message settles it; an answer that comes after that is merely kept."""
    state = _STATE[outcome.delivery]
    message = attempt.message
    held = OutboundMessage.objects.filter(
        pk=message.pk, state=DeliveryState.SENDING, sending_since=attempt.started_at
    )
    with transaction.atomic():
        settled = held.update(state=state, reason=outcome.reason[:80], settled_at=now)
        if settled or sent.answer is not None:
            _close(attempt, sent, outcome, now=now)
        if not settled:
            return None
        actor = Actor(message.actor_label, message.actor_user_id, message.organisation_id)
        message_type(message.message_type).handle_reply(message.subject_id, outcome, actor=actor, now=now)
        record(
            actor=actor,
            action="exchange.deliver_message",
            subject=message,
            outcome=state,
            detail={
                "message_type": message.message_type,
                "reason": outcome.reason,
                "attempt": attempt.number,
            },
            correlation_id=message.correlation_id,
            now=now,
        )
    return state


def _close(attempt: DeliveryAttempt, sent: Sent, outcome: Outcome, *, now: datetime) -> None:
    attempt.finished_at = now
    attempt.outcome, attempt.reason = outcome.delivery, outcome.reason[:80]
    if sent.answer is not None:
        attempt.status_code, attempt.elapsed_ms = sent.answer.status, int(sent.answer.elapsed_ms)
        attempt.reply, attempt.reply_headers = sent.answer.body, storable_headers(sent.answer.headers)
    attempt.save()
