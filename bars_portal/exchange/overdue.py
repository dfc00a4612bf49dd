"""What nobody tries any more: given up at its deadline, and read back after that, in case it did arrive."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from bars_portal.exchange.models import GIVEN_UP, LATE, NEVER_SENT, OBSOLETE, DeliveryState, OutboundMessage
from bars_portal.exchange.registry import Outcome, message_type
from bars_portal.exchange.settlement import (
    NOT_SENT_REASONS,
    READ_BACK_AFTER,
    actor_of,
    first_read_back,
    record_delivery,
)
from bars_portal.exchange.transport.client import BarsClient
from bars_portal.exchange.transport.judgement import Delivery

_AT_ONCE = 200
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
