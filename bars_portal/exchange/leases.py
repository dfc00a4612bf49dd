"""Who sends a message holds it by a lease that is renewed meanwhile: whoever dies lets go within seconds."""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import DatabaseError, connection
from django.db.models import QuerySet

from bars_portal.exchange.models import DeliveryAttempt, DeliveryState, OutboundMessage

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
