"""Sending what the outbox holds: claim, send outside any transaction, settle. The same for every attempt."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Max, Q, QuerySet, Value, When

from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.models import OBSOLETE, UNCLEAR, DeliveryAttempt, DeliveryState, OutboundMessage
from bars_portal.exchange.registry import Outcome, message_type, services
from bars_portal.exchange.transport.client import BarsClient
from bars_portal.exchange.transport.headers import storable_headers
from bars_portal.exchange.transport.judgement import Delivery, Judgement, judge_answer, judge_error
from bars_portal.http import Answer, TransportError

# Longer than one send can last, token renewals included, and than CELERY_TASK_TIME_LIMIT: a message that is
# still "sending" after this lost its worker.
STALE_AFTER = timedelta(seconds=180)
# A share of the delay, either way: many messages that failed together do not come back together.
JITTER = 0.2

_STATE = {
    Delivery.ACCEPTED: DeliveryState.ACCEPTED,
    Delivery.DUPLICATE: DeliveryState.ACCEPTED,
    Delivery.REFUSED: DeliveryState.REFUSED,
    Delivery.UNKNOWN: DeliveryState.UNKNOWN,
}
# The token's issuer failed, not the service.
_NOT_THE_SERVICE = frozenset({"token-refused"})
# What one sweep takes at the most; the next one comes in a minute.
_AT_ONCE = 200
_TO_SEND = Q(state=DeliveryState.QUEUED)
# Only what goes out by itself counts; who presses "check again" begins anew.
_REPEATS = Case(When(state=DeliveryState.UNKNOWN, then=F("repeats") + 1), default=Value(0))


@dataclass(frozen=True)
class Sent:
    """One attempt's end: an answer, or none."""

    judgement: Judgement
    answer: Answer | None = None


def deliver(message_id: UUID, *, client: BarsClient, clock: Callable[[], datetime]) -> DeliveryState | None:
    """Send once what is queued or due again. None when it was not ours to send (sent already, being sent).

    A repeat that nobody wants any more is not sent: it ends as abandoned.
    """
    attempt = _claim(message_id, now=clock())
    if attempt is None:
        return None
    if attempt.number > 1 and _is_withdrawn(attempt, now=clock()):
        return DeliveryState.ABANDONED
    sent = _send(attempt.message, client, now=clock())
    outcome = _outcome(attempt.message, sent, client, now=clock())
    state = _settle(attempt, sent, outcome, now=clock())
    # Not in that transaction: what holds the service's row there would wait for everything else in it.
    _note_contact(attempt.message, sent.judgement, now=clock())
    return state


def _note_contact(message: OutboundMessage, judged: Judgement, *, now: datetime) -> None:
    """The service's health, as this attempt shows it. A refusal may be the proxy's, so it says nothing."""
    if judged.delivery is Delivery.REFUSED or judged.reason in _NOT_THE_SERVICE:
        return
    answered = judged.delivery is not Delivery.UNKNOWN
    services.provider.note_contact(ServiceID.parse(message.service_id), answered=answered, now=now)


def queue_again(message: OutboundMessage) -> bool:
    """Let a person send an unclear message once more, the very same bytes and ids; the repeats begin anew.

    False when it is not unclear, or is being sent at this moment: the database says who was first.
    """
    changed = OutboundMessage.objects.filter(UNCLEAR, pk=message.pk).update(
        state=DeliveryState.QUEUED, next_attempt_at=None, repeats=0
    )
    return changed == 1


def due_messages(*, now: datetime) -> list[UUID]:
    """Messages whose next attempt has come, the longest waiting first."""
    due = OutboundMessage.objects.filter(state=DeliveryState.UNKNOWN, next_attempt_at__lte=now)
    return list(due.order_by("next_attempt_at").values_list("pk", flat=True)[:_AT_ONCE])


def next_attempt_of(message_id: UUID) -> datetime | None:
    """When the message goes out again by itself; None when it does not."""
    waiting = OutboundMessage.objects.filter(pk=message_id, state=DeliveryState.UNKNOWN)
    return waiting.values_list("next_attempt_at", flat=True).first()


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
        claimed = OutboundMessage.objects.filter(_TO_SEND | _due(now), pk=message_id).update(
            state=DeliveryState.SENDING, sending_since=now, next_attempt_at=None, repeats=_REPEATS
        )
        if not claimed:
            return None
        message = OutboundMessage.objects.get(pk=message_id)
        last = message.attempts.aggregate(last=Max("number"))["last"] or 0
        return DeliveryAttempt.objects.create(message=message, number=last + 1, started_at=now)


def _due(now: datetime) -> Q:
    return Q(state=DeliveryState.UNKNOWN, next_attempt_at__lte=now)


def _send(message: OutboundMessage, client: BarsClient, *, now: datetime) -> Sent:
    try:
        answer = client.post("/$process-message", body=bytes(message.body), headers=message.headers)
    except TransportError as error:
        return Sent(judge_error(error))
    judged = judge_answer(
        answer, request_id=message.request_id, correlation_id=message.correlation_id, now=now
    )
    return Sent(judged, answer)


def _outcome(message: OutboundMessage, sent: Sent, client: BarsClient, *, now: datetime) -> Outcome:
    judged, answer = sent.judgement, sent.answer
    found = reply = None
    if judged.delivery is Delivery.ACCEPTED and answer is not None:
        reply = MessageBundle(json.loads(answer.body))
    if judged.delivery is Delivery.DUPLICATE:
        found = message_type(message.message_type).find_delivered(message.subject_id, client, now=now)
    return Outcome(judged.delivery, judged.reason, reply=reply, found=found, issues=judged.issues)


def _settle(attempt: DeliveryAttempt, sent: Sent, outcome: Outcome, *, now: datetime) -> DeliveryState | None:
    """Only the attempt that holds the message settles it; an answer that comes after that is merely kept."""
    message, again = attempt.message, _next_attempt(attempt.message, sent.judgement, now)
    outcome = replace(outcome, next_attempt_at=again)
    lost = outcome.delivery is Delivery.UNKNOWN
    state = DeliveryState.ABANDONED if lost and again is None else _STATE[outcome.delivery]
    with transaction.atomic():
        settled = _held(attempt).update(
            state=state, reason=outcome.reason[:80], settled_at=now, next_attempt_at=again
        )
        if settled or sent.answer is not None:
            _close(attempt, sent, outcome, now=now)
        if not settled:
            return None
        if not (lost and again and message.repeats):
            # The subject hears of the first loss and of the last; those between change nothing.
            kind = message_type(message.message_type)
            kind.handle_reply(message.subject_id, outcome, actor=_actor(message), now=now)
        _record(attempt, state, outcome.reason, now)
    return state


def _is_withdrawn(attempt: DeliveryAttempt, *, now: datetime) -> bool:
    """Nobody wants it sent any more: it ends here."""
    message = attempt.message
    kind = message_type(message.message_type)
    with transaction.atomic():
        _held(attempt).select_for_update().first()
        if not kind.withdraw(message.subject_id, actor=_actor(message), now=now):
            return False
        _held(attempt).update(state=DeliveryState.ABANDONED, reason=OBSOLETE, settled_at=now)
        attempt.finished_at, attempt.outcome, attempt.reason = now, "not-sent", OBSOLETE
        attempt.save()
        _record(attempt, DeliveryState.ABANDONED, OBSOLETE, now)
    return True


def _next_attempt(message: OutboundMessage, judgement: Judgement, now: datetime) -> datetime | None:
    if judgement.delivery is not Delivery.UNKNOWN:
        return None
    return next_attempt(
        settings.BARS_RETRY_SECONDS,
        repeats=message.repeats,
        retry_after=judgement.retry_after,
        chance=random.random(),  # noqa: S311 - spreads load, no secret
        now=now,
    )


def next_attempt(
    delays: Sequence[float], *, repeats: int, retry_after: int | None, chance: float, now: datetime
) -> datetime | None:
    """The instant of the next repeat, `repeats` having gone out; None: none is left, so it is up to a person.

    `delays` (seconds) come before each repeat (standard section 8), `chance` is from 0 to 1. `retry_after`
    (seconds) only ever puts it off: the other side asked for it.
    """
    if repeats >= len(delays):
        return None
    delay = delays[repeats] * (1 - JITTER + 2 * JITTER * chance)
    return now + timedelta(seconds=max(delay, retry_after or 0))


def _held(attempt: DeliveryAttempt) -> QuerySet[OutboundMessage]:
    """The message, while it is this attempt that sends it."""
    return OutboundMessage.objects.filter(
        pk=attempt.message_id, state=DeliveryState.SENDING, sending_since=attempt.started_at
    )


def _actor(message: OutboundMessage) -> Actor:
    return Actor(message.actor_label, message.actor_user_id, message.organisation_id)


def _record(attempt: DeliveryAttempt, state: DeliveryState, reason: str, now: datetime) -> None:
    message = attempt.message
    record(
        actor=_actor(message),
        action="exchange.deliver_message",
        subject=message,
        outcome=state,
        detail={"message_type": message.message_type, "reason": reason, "attempt": attempt.number},
        correlation_id=message.correlation_id,
        now=now,
    )


def _close(attempt: DeliveryAttempt, sent: Sent, outcome: Outcome, *, now: datetime) -> None:
    attempt.finished_at = now
    attempt.outcome, attempt.reason = outcome.delivery, outcome.reason[:80]
    if sent.answer is not None:
        attempt.status_code, attempt.elapsed_ms = sent.answer.status, int(sent.answer.elapsed_ms)
        attempt.reply, attempt.reply_headers = sent.answer.body, storable_headers(sent.answer.headers)
    attempt.save()
