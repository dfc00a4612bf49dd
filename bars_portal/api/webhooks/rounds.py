"""The worker's own room for events and webhooks: numbers what happened, deals it out, sends what is due.

It needs neither the broker nor the threads that send messages. Several may run: a row is claimed once.
"""

import logging
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from time import monotonic
from uuid import UUID

from django.db import DatabaseError, connection

from bars_portal.api.events import number_events
from bars_portal.api.models import Webhook, WebhookDelivery
from bars_portal.api.webhooks import delivery, selectors
from bars_portal.api.webhooks.services import tell_owners
from bars_portal.rounds import OfThisProcess, Rounds
from bars_portal.sql import database_time
from bars_portal.tracing import span

LOOKS_EVERY_SECONDS = 0.5
# A receiver that hangs keeps so many threads, and one that fails a single one: the others go on.
THREADS, PER_WEBHOOK = 6, 2
_TELLS_EVERY_SECONDS = 30.0
# What is being sent when a worker ends is settled, or left to its lease.
_PATIENCE_SECONDS = 5.0

logger = logging.getLogger(__name__)


@dataclass
class WebhookRoom:
    """One thread looks, `threads` send. By the database's clock."""

    threads: int = THREADS
    every_seconds: float = LOOKS_EVERY_SECONDS

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._busy: Counter[UUID] = Counter()
        self._senders = ThreadPoolExecutor(self.threads, "webhook")
        self._rounds = Rounds("webhooks", self.look, every_seconds=self.every_seconds)
        self._told_at = float("-inf")

    def start(self) -> None:
        self._rounds.start()

    def stop(self) -> None:
        self._rounds.stop_with(self._senders, patience_seconds=_PATIENCE_SECONDS, under_way=self._under_way)

    def _under_way(self) -> int:
        with self._lock:
            return self._busy.total()

    def look(self) -> None:
        """One round: number, deal, send, and tell the owners of what went off."""
        number_events()
        now = database_time()
        for webhook_id in list(selectors.with_news(now=now).values_list("pk", flat=True)):
            delivery.deal(webhook_id, now=now)
        for webhook in selectors.with_due(now=now).only("pk", "failures"):
            self._send_some(webhook)
        if monotonic() - self._told_at >= _TELLS_EVERY_SECONDS:
            self._told_at = monotonic()
            tell_owners(now=now)

    def _send_some(self, webhook: Webhook) -> None:
        with self._lock:
            free = self.threads - self._busy.total()
            own = (1 if webhook.failures else PER_WEBHOOK) - self._busy[webhook.pk]
        room = min(free, own)
        if room <= 0 or self._rounds.is_held:
            return
        for each in delivery.claim(webhook.pk, now=database_time(), most=room):
            with self._lock:
                self._busy[webhook.pk] += 1
            self._senders.submit(self._send, each).add_done_callback(partial(self._done, each.webhook_id))

    def _done(self, webhook_id: UUID, _future: object) -> None:
        """Sent or not, and also when the room closes before its turn."""
        with self._lock:
            self._busy[webhook_id] -= 1
        self._rounds.ring()

    def _send(self, each: WebhookDelivery) -> None:
        try:
            with span("webhook"):
                delivery.deliver(each, clock=database_time)
        except DatabaseError:
            logger.warning("webhooks: the database did not take an outcome, it is sent again: %s", each.pk)
        except Exception:
            # The lease ends, and it is tried again: one that cannot be sent keeps no other waiting.
            logger.exception("webhooks: not sent: %s", each.pk)
        finally:
            connection.close()


webhook_room = OfThisProcess[WebhookRoom]()
