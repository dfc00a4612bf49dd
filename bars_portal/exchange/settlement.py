"""What an attempt comes to: the message is settled, or goes out again, or is given up; and by whose word.

What nobody tries any more is given up at its deadline, and read back after that, in case it did arrive.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.exchange.models import (
    GIVEN_UP,
    LATE,
    NEVER_SENT,
    OBSOLETE,
    DeliveryAttempt,
    DeliveryState,
    OutboundMessage,
)
from bars_portal.exchange.registry import Outcome, message_type
from bars_portal.exchange.transport.client import BarsClient
from bars_portal.exchange.transport.headers import storable_headers
from bars_portal.exchange.transport.judgement import Delivery, Health, Judgement
from bars_portal.exchange.waiting import held_by
from bars_portal.http import Answer

# Of attempts without a lease, which earlier versions began: longer than one of theirs can last.
STALE_WITHOUT_LEASE = timedelta(seconds=180)
# The last attempt is made so long before the deadline, that its answer may still come.
LAST_CALL = timedelta(seconds=60)
# A share of the delay, either way: many messages that failed together do not come back together.
JITTER = 0.2
# An attempt that ended like this never reached anybody.
NOT_SENT_REASONS = ("not-sent", "token-refused", "no-credentials")
# What one look takes at the most; the next one comes in a second.
_AT_ONCE = 200
_STATE = {
    Delivery.ACCEPTED: DeliveryState.ACCEPTED,
    Delivery.DUPLICATE: DeliveryState.ACCEPTED,
    Delivery.FOUND: DeliveryState.ACCEPTED,
    Delivery.REFUSED: DeliveryState.REFUSED,
    Delivery.UNKNOWN: DeliveryState.UNKNOWN,
}


@dataclass(frozen=True)
class Sent:
    """One attempt's end: an answer, or none; and what it shows of the partner."""

    judgement: Judgement
    answer: Answer | None = None
    health: Health = Health.UNSAID


def settle(
    attempt: DeliveryAttempt, sent: Sent, outcome: Outcome, *, now: datetime, such: Q | None = None
) -> DeliveryState | None:
    """Only the attempt that holds the message settles it; an answer that comes after that is merely kept."""
    message = attempt.message
    again = _next_attempt(message, outcome, retry_after=sent.judgement.retry_after, now=now)
    outcome = replace(outcome, next_attempt_at=again)
    lost = outcome.delivery is Delivery.UNKNOWN
    state = DeliveryState.ABANDONED if lost and again is None else _STATE[outcome.delivery]
    with transaction.atomic():
        settled = (
            held_by(attempt)
            .filter(such or Q())
            .update(
                state=state,
                reason=outcome.reason[:80],
                settled_at=now,
                next_attempt_at=again,
                read_back_at=first_read_back(now) if state == DeliveryState.ABANDONED else None,
            )
        )
        if settled or sent.answer is not None:
            _close(attempt, sent, outcome, now=now)
        if not settled:
            if not lost:
                # It came too late to settle the message, and is a good reason to ask the other side now.
                given_up = GIVEN_UP
                OutboundMessage.objects.filter(given_up, pk=message.pk).update(read_back_at=now)
            return None
        if not (lost and again and message.repeats):
            # The subject hears of the first loss and of the last; those between change nothing.
            kind = message_type(message.message_type)
            kind.handle_reply(message.subject_id, outcome, actor=actor_of(message), now=now)
        record_attempt(attempt, state, outcome.reason, now)
    return state


# What was given up is asked after that long, and then no more.
READ_BACK_AFTER = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))


def first_read_back(given_up_at: datetime) -> datetime:
    return given_up_at + READ_BACK_AFTER[0]


def _next_attempt(
    message: OutboundMessage, outcome: Outcome, *, retry_after: int | None, now: datetime
) -> datetime | None:
    if outcome.delivery is not Delivery.UNKNOWN:
        return None
    planned = next_attempt(
        settings.BARS_RETRY_SECONDS,
        repeats=message.repeats,
        retry_after=retry_after,
        chance=random.random(),  # noqa: S311 - spreads load, no secret
        now=now,
    )
    return within_deadline(planned, message.abandon_at, retry_after=retry_after, now=now)


def within_deadline(
    planned: datetime | None, deadline: datetime | None, *, retry_after: int | None, now: datetime
) -> datetime | None:
    """The planned instant, or one last attempt right before the deadline; None when none fits before it.

    A partner that asked for a longer wait is not asked again before that.
    """
    if planned is None or deadline is None or planned <= deadline:
        return planned
    last = deadline - LAST_CALL
    earliest = now + timedelta(seconds=retry_after or 0)
    return last if last > earliest else None


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


def actor_of(message: OutboundMessage) -> Actor:
    return Actor(message.actor_label, message.actor_user_id, message.organisation_id)


def record_attempt(attempt: DeliveryAttempt, state: DeliveryState, reason: str, now: datetime) -> None:
    record_delivery(attempt.message, state, reason, attempt=attempt.number, now=now)


def record_delivery(
    message: OutboundMessage, state: DeliveryState, reason: str, *, attempt: int, now: datetime
) -> None:
    """On the trail; `attempt` is its number, or how many there were when none settled it."""
    record(
        actor=actor_of(message),
        action="exchange.deliver_message",
        subject=message,
        outcome=state,
        detail={"message_type": message.message_type, "reason": reason, "attempt": attempt},
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


# -- those whose worker is gone


def _lost(now: datetime) -> Q:
    without = Q(lease_until__isnull=True, sending_since__lt=now - STALE_WITHOUT_LEASE)
    return Q(state=DeliveryState.SENDING) & (Q(lease_until__lt=now) | without)


def stale_messages(*, now: datetime) -> list[UUID]:
    """Messages whose worker died while sending: it renews its lease no more."""
    stale = OutboundMessage.objects.filter(_lost(now))
    return list(stale.order_by("sending_since").values_list("pk", flat=True)[:_AT_ONCE])


def settle_lost(message_id: UUID, *, now: datetime) -> DeliveryState | None:
    """Name a stale message unknown. None when its worker, or somebody else, was quicker."""
    attempts = DeliveryAttempt.objects.select_related("message").filter(message_id=message_id)
    last = attempts.order_by("-number").first()
    if last is None or not OutboundMessage.objects.filter(_lost(now), pk=message_id).exists():
        return None
    lost = Sent(Judgement(Delivery.UNKNOWN, "worker-lost"))
    return settle(last, lost, Outcome(Delivery.UNKNOWN, "worker-lost"), now=now, such=_lost(now))


_ABANDONED = GIVEN_UP


def _overdue(now: datetime) -> Q:
    return Q(state__in=[DeliveryState.QUEUED, DeliveryState.UNKNOWN], abandon_at__lte=now)


def overdue_messages(*, now: datetime) -> list[UUID]:
    """Messages that wait although their deadline has passed."""
    rows = OutboundMessage.objects.filter(_overdue(now)).order_by("abandon_at")
    return list(rows.values_list("pk", flat=True)[:_AT_ONCE])


@transaction.atomic
def give_up(message_id: UUID, *, now: datetime) -> DeliveryState | None:
    """People are told, and it stands as abandoned with its reason. None when it has gone out meanwhile.

    What never went out is nowhere: it counts as refused, and is not sent after that.
    """
    rows = OutboundMessage.objects.select_for_update(of=("self",)).filter(_overdue(now), pk=message_id)
    message = rows.first()
    if message is None:
        return None
    kind, attempts = message_type(message.message_type), message.attempts.count()
    if kind.withdraw(message.subject_id, actor=actor_of(message), now=now):
        return _set_aside(message, attempts, now)
    never_sent = not message.attempts.exclude(reason__in=NOT_SENT_REASONS).exists()
    reason = NEVER_SENT if never_sent else f"deadline/{message.reason or 'not-answered'}"[:80]
    message.state, message.reason = DeliveryState.ABANDONED, reason
    message.settled_at, message.next_attempt_at = now, None
    message.read_back_at = None if never_sent else first_read_back(now)
    message.save(update_fields=["state", "reason", "settled_at", "next_attempt_at", "read_back_at"])
    outcome = Outcome(Delivery.REFUSED if never_sent else Delivery.UNKNOWN, reason)
    kind.handle_reply(message.subject_id, outcome, actor=actor_of(message), now=now)
    record_delivery(message, DeliveryState.ABANDONED, reason, attempt=attempts, now=now)
    return DeliveryState.ABANDONED


def _set_aside(message: OutboundMessage, attempts: int, now: datetime) -> DeliveryState:
    """Something else has settled what it is about: nobody waits for it."""
    message.state, message.reason, message.settled_at = DeliveryState.ABANDONED, OBSOLETE, now
    message.next_attempt_at = message.read_back_at = None
    message.save(update_fields=["state", "reason", "settled_at", "next_attempt_at", "read_back_at"])
    record_delivery(message, DeliveryState.ABANDONED, OBSOLETE, attempt=attempts, now=now)
    return DeliveryState.ABANDONED


def to_read_back(*, now: datetime) -> list[tuple[str, UUID]]:
    """(service id, message) of what was given up and is asked after now, the longest waiting first."""
    rows = OutboundMessage.objects.filter(_ABANDONED, read_back_at__lte=now).order_by("read_back_at")
    return list(rows.values_list("service_id", "pk")[:_AT_ONCE])


def read_back_again(
    message_id: UUID, *, client: BarsClient, clock: Callable[[], datetime]
) -> DeliveryState | None:
    """Ask the other side whether it has what we gave up: then it is settled after all, and people are told.

    That it has not is no news: a person was told to look after it, and may be sending it again.
    """
    message = OutboundMessage.objects.filter(_ABANDONED, pk=message_id).first()
    if message is None or not _claim(message, now=clock()):
        return None
    kind = message_type(message.message_type)
    read = kind.read_back(message.subject_id, client, now=clock())
    if read is None or not read.was_applied:
        return None
    outcome = Outcome(Delivery.FOUND, LATE, found=read.found, is_late=True)
    now = clock()
    with transaction.atomic():
        settled = OutboundMessage.objects.filter(_ABANDONED, pk=message.pk).update(
            state=DeliveryState.ACCEPTED, reason=outcome.reason, settled_at=now, read_back_at=None
        )
        if not settled:
            return None
        attempts = message.attempts.count()
        if kind.withdraw(message.subject_id, actor=actor_of(message), now=now):
            return _set_aside(message, attempts, now)
        kind.handle_reply(message.subject_id, outcome, actor=actor_of(message), now=now)
        record_delivery(message, DeliveryState.ACCEPTED, outcome.reason, attempt=attempts, now=now)
    return DeliveryState.ACCEPTED


def _claim(message: OutboundMessage, *, now: datetime) -> bool:
    """One asks; the next time is written down before."""
    given_up = message.settled_at or now
    later = (given_up + each for each in READ_BACK_AFTER if given_up + each > now)
    rows = OutboundMessage.objects.filter(_ABANDONED, pk=message.pk, read_back_at=message.read_back_at)
    return rows.update(read_back_at=next(later, None)) == 1
