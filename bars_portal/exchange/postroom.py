"""The worker's own room for what waits: looks into the outbox by the database's clock, sends fairly.

The broker only says "look now". Without it everything leaves all the same, at most a second later.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from django.conf import settings
from django.db import connection

from bars_portal.exchange import circuits, delivery, settlement, waiting
from bars_portal.exchange.gateway.client import get_client
from bars_portal.exchange.models import Heartbeat
from bars_portal.exchange.transport.client import BarsClient
from bars_portal.exchange.waiting import LEASE
from bars_portal.rounds import OfThisProcess, Rounds
from bars_portal.sql import database_time
from bars_portal.tracing import span

LOOKS_EVERY_SECONDS = 1.0
HEARTBEAT, BEATS_EVERY_SECONDS = "postroom", 5.0
# What has been sent is settled before the process ends; whoever is killed first leaves it to its lease.
PATIENCE_SECONDS = 40.0

# What could not be dealt with waits so long.
_REST_SECONDS = 60.0

logger = logging.getLogger(__name__)
# Of (message id, *, client, clock): deliver() and its like.
Work = Callable[..., object]


class DatabaseClock:
    """The database's clock, told in between by this machine's steady one: jumps of our own are not seen."""

    def __init__(self) -> None:
        self._offset: tuple[datetime, float] | None = None

    def set(self) -> datetime:
        """Ask the database."""
        moment = database_time()
        self._offset = (moment, monotonic())
        return moment

    def __call__(self) -> datetime:
        if self._offset is None:
            return self.set()
        moment, at = self._offset
        return moment + timedelta(seconds=monotonic() - at)


@dataclass
class Postroom:
    """One thread looks and deals out, `threads` send, `per_partner` at once to one service.

    So a partner that hangs keeps that many threads, and no other partner waits for them.
    """

    threads: int
    per_partner: int
    client: Callable[[], BarsClient] = get_client
    clock: DatabaseClock = field(default_factory=DatabaseClock)
    every_seconds: float = LOOKS_EVERY_SECONDS

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[UUID, str] = {}
        self._senders = ThreadPoolExecutor(self.threads, "sender")
        self._rounds = Rounds(
            "postroom", self._look, every_seconds=self.every_seconds, database_away=self._database_away
        )
        self._looked_at = monotonic()
        # Until then the leases of others may be old only because the database was away.
        self._leases_count_from = monotonic()
        self._tended_at = self._beaten_at = float("-inf")
        # What could not be dealt with, and when it is tried again.
        self._not_before: dict[UUID, float] = {}

    def start(self) -> None:
        self._rounds.start()

    def ring(self) -> None:
        """Something waits: look now."""
        self._rounds.ring()

    def hold(self) -> None:
        """Deal out nothing more."""
        self._rounds.hold()

    def stop(self) -> None:
        """And wait for what is under way."""
        self._rounds.stop_with(
            self._senders, patience_seconds=PATIENCE_SECONDS, under_way=lambda: self.under_way
        )

    @property
    def look_age(self) -> float:
        """Seconds since it last looked at all that waits."""
        return monotonic() - self._looked_at

    @property
    def under_way(self) -> int:
        """How many messages it is sending."""
        return len(self._under_way)

    def _look(self) -> None:
        if monotonic() - self._tended_at >= self.every_seconds:
            self._tended_at = monotonic()
            self._tend(self.clock.set())
        self._deal(self.clock())
        self._beat(self.clock())
        self._looked_at = monotonic()

    def _database_away(self) -> None:
        self._leases_count_from = monotonic() + LEASE.total_seconds()

    def _beat(self, now: datetime) -> None:
        """All processes see it: the portal's health, the status page, the figures."""
        if monotonic() - self._beaten_at >= BEATS_EVERY_SECONDS:
            self._beaten_at = monotonic()
            row = Heartbeat(name=HEARTBEAT, seen_at=now)
            Heartbeat.objects.bulk_create(
                [row], update_conflicts=True, unique_fields=["name"], update_fields=["seen_at"]
            )

    def _tend(self, now: datetime) -> None:
        """What lost its worker, and what nobody tries any more."""
        if monotonic() >= self._leases_count_from:
            for message_id in filter(self._is_due, settlement.stale_messages(now=now)):
                with self._alone("called lost", message_id):
                    settlement.settle_lost(message_id, now=now)
        for message_id in filter(self._is_due, settlement.overdue_messages(now=now)):
            with self._alone("given up", message_id):
                settlement.give_up(message_id, now=now)

    @contextmanager
    def _alone(self, what: str, message_id: UUID) -> Iterator[None]:
        """One message that cannot be dealt with keeps no other waiting, nor the log busy."""
        try:
            yield
        except Exception:
            self._not_before[message_id] = monotonic() + _REST_SECONDS
            # Its text may quote the message: the log's formatter leaves it out.
            logger.exception("postroom: not %s: %s", what, message_id)
        else:
            self._not_before.pop(message_id, None)

    def _is_due(self, message_id: UUID) -> bool:
        return self._not_before.get(message_id, 0.0) <= monotonic()

    def _deal(self, now: datetime) -> None:
        """A turn for each service, those with the fewest under way first."""
        with self._lock:
            busy = Counter(self._under_way.values())
        free = self.threads - busy.total()
        if free <= 0:
            return
        spared = circuits.spared_now(now=now)
        for service_id in sorted(waiting.waiting_services(), key=lambda each: busy[each]):
            room = min(self._room(service_id, spared) - busy[service_id], free)
            if room > 0:
                # Those under way are still there when the database has not heard of their claim yet.
                most = room + busy[service_id]
                ready = waiting.ready_for(service_id, now=now, most=most)
                free -= self._take(service_id, ready, room, delivery.deliver)
        for service_id, message_id in settlement.to_read_back(now=now):
            if free > 0 and busy[service_id] < self.per_partner and spared.get(service_id, True):
                free -= self._take(service_id, [message_id], 1, settlement.read_back_again)

    def _room(self, service_id: str, spared: Mapping[str, bool]) -> int:
        """How many requests at once: all, or one as a probe, or none."""
        if service_id not in spared:
            return self.per_partner
        return 1 if spared[service_id] else 0

    def _take(self, service_id: str, message_ids: list[UUID], room: int, work: Work) -> int:
        taken = 0
        for message_id in message_ids:
            with self._lock:
                if message_id in self._under_way or taken >= room or not self._is_due(message_id):
                    continue
                self._under_way[message_id] = service_id
            taken += 1
            self._senders.submit(self._send, message_id, work)
        return taken

    def _send(self, message_id: UUID, work: Work) -> None:
        done = None
        try:
            with self._alone("sent", message_id), span("send"):
                done = work(message_id, client=self.client(), clock=self.clock)
        finally:
            connection.close()
            with self._lock:
                del self._under_way[message_id]
            # What was not done would be dealt out again at once, and again: it waits for the next look.
            if done is not None:
                self.ring()


postroom = OfThisProcess[Postroom]()


def open_postroom() -> None:
    postroom.open(Postroom(threads=settings.BARS_SENDERS, per_partner=settings.BARS_PARTNER_LIMIT))


def hold_postroom() -> None:
    """The worker is asked to end: what is not under way is left to the others."""
    if postroom.room is not None:
        postroom.room.hold()


def ring() -> None:
    """Of a process without a postroom nobody hears it: the worker looks by itself within a second."""
    if postroom.room is not None:
        postroom.room.ring()
