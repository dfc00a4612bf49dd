"""Which messages may go out now, and who holds one while it is sent.

It is ready when it is queued or due again, and none goes before an earlier one of its conversation. Who sends
it holds it by a lease that is renewed meanwhile: whoever dies lets go within seconds.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from django.db import DatabaseError, connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from bars_portal.exchange.models import DeliveryAttempt, DeliveryState, OutboundMessage
from bars_portal.sql import cursor

_OPEN = (DeliveryState.QUEUED, DeliveryState.SENDING)


def may_go_out(*, now: datetime) -> QuerySet[OutboundMessage]:
    """An update or a cancel never overtakes its request, whichever worker is quicker.

    Earlier messages of the conversation to the same service come first while they wait or are being sent.
    One whose outcome is not known holds up only what is about the very same thing: an outcome of a case must
    not wait an hour for the answer to "started".
    """
    is_ready = Q(state=DeliveryState.QUEUED) | Q(state=DeliveryState.UNKNOWN, next_attempt_at__lte=now)
    return OutboundMessage.objects.filter(is_ready, ~Exists(_earlier()))


def _earlier() -> QuerySet[OutboundMessage]:
    same_thing = Q(subject_type=OuterRef("subject_type"), subject_id=OuterRef("subject_id"))
    still_tried = Q(state=DeliveryState.UNKNOWN, next_attempt_at__isnull=False) & same_thing
    return OutboundMessage.objects.filter(
        Q(state__in=_OPEN) | still_tried,
        correlation_id=OuterRef("correlation_id"),
        service_id=OuterRef("service_id"),
        created_at__lt=OuterRef("created_at"),
    )


def ready_for(service_id: str, *, now: datetime, most: int) -> list[UUID]:
    """The longest waiting first."""
    ready = may_go_out(now=now).filter(service_id=service_id)
    return list(ready.order_by(Coalesce("next_attempt_at", "created_at")).values_list("pk", flat=True)[:most])


# Jumps from service to service in the index: it costs as many steps as there are services, not messages.
# The states are written out, so that the server can tell that its partial index has them all.
_SERVICES = """
    WITH RECURSIVE waiting AS (
        (SELECT service_id FROM exchange_outboundmessage
         WHERE state IN ('queued', 'unknown') ORDER BY service_id LIMIT 1)
        UNION ALL
        SELECT (SELECT service_id FROM exchange_outboundmessage
                WHERE state IN ('queued', 'unknown') AND service_id > waiting.service_id
                ORDER BY service_id LIMIT 1)
        FROM waiting WHERE waiting.service_id IS NOT NULL
    )
    SELECT service_id FROM waiting WHERE service_id IS NOT NULL
"""


def waiting_services() -> list[str]:
    """Whoever has a message that is queued, or unknown, whether it is due or not."""
    with cursor() as asking:
        asking.execute(_SERVICES)
        return [service_id for (service_id,) in asking.fetchall()]


# Two renewals may fail before somebody else calls the worker lost.
LEASE = timedelta(seconds=15)
RENEWED_EVERY_SECONDS = 5.0

logger = logging.getLogger(__name__)
Clock = Callable[[], datetime]


class Keeper:
    """Renews, in one thread of this process, the leases of all that it is sending."""

    def __init__(self, *, every_seconds: float = RENEWED_EVERY_SECONDS) -> None:
        self._every = every_seconds
        self._lock = threading.Lock()
        self._held: dict[int, tuple[DeliveryAttempt, Clock]] = {}
        self._thread: threading.Thread | None = None

    @contextmanager
    def holding(self, attempt: DeliveryAttempt, clock: Clock) -> Iterator[None]:
        with self._lock:
            self._held[attempt.pk] = (attempt, clock)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="lease-keeper", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                del self._held[attempt.pk]

    def _run(self) -> None:
        rest = threading.Event()
        while True:
            rest.wait(self._every)
            with self._lock:
                held = list(self._held.values())
                if not held:
                    self._thread = None
                    return
            self._renew(held)

    def _renew(self, held: list[tuple[DeliveryAttempt, Clock]]) -> None:
        try:
            for attempt, clock in held:
                held_by(attempt).update(lease_until=clock() + LEASE)
        except DatabaseError:
            logger.warning("leases: the database did not take a renewal")
        finally:
            connection.close()


def held_by(attempt: DeliveryAttempt) -> QuerySet[OutboundMessage]:
    """The message, while it is this attempt that sends it."""
    return OutboundMessage.objects.filter(
        pk=attempt.message_id, state=DeliveryState.SENDING, sending_since=attempt.started_at
    )


keeper = Keeper()


def _forget() -> None:
    """A forked child has no such thread, and perhaps a locked lock."""
    global keeper
    keeper = Keeper()


os.register_at_fork(after_in_child=_forget)
