"""What Prometheus learns from the database, by way of the worker: read anew each time it asks.

One process reads for all: what waits is the same wherever one looks from.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from django.db import DatabaseError, connection
from prometheus_client.core import GaugeMetricFamily

from bars_portal.exchange.models import CircuitState
from bars_portal.exchange.postroom import postroom
from bars_portal.metrics.figures import known, partner_label, sample
from bars_portal.sql import database_time
from bars_portal.status import selectors, watched
from bars_portal.status.models import Level

# Each figure, what it says, and the names of its labels.
FAMILIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "bars_database_up": ("Whether the database answered this time.", ()),
    "bars_queue_messages": ("Messages by state; given up: in the last day.", ("state",)),
    "bars_queue_oldest_seconds": ("Age of the oldest message, by state.", ("state",)),
    "bars_queue_ready_seconds": ("How long the oldest has waited that could go out.", ()),
    "bars_circuits": ("Services by the state of their circuit.", ("state",)),
    "bars_circuit_failing_seconds": ("How long a spared service has not answered.", ("partner",)),
    "bars_postroom_look_age_seconds": ("How long ago this worker looked at what waits.", ()),
    "bars_postroom_under_way": ("Messages that this worker is sending.", ()),
    "bars_worker_heartbeat_age_seconds": ("How long ago any worker looked at what waits.", ()),
    "bars_audit_unsealed_seconds": ("Age of the oldest event outside the chain of the trail.", ()),
    "bars_webhooks": ("Webhooks of applications: on, failing, switched off by themselves.", ("state",)),
    "bars_webhook_deliveries_waiting": ("Events that a webhook is to be told of.", ()),
    "bars_webhook_late_seconds": ("How long a delivery is due that nobody has tried.", ()),
    "bars_certificate_days_left": ("Days until something in a watched file ends.", ("file",)),
    "bars_token_failing_seconds": ("How long renewals of the access token have failed.", ()),
    "bars_clock_ahead_seconds": ("How far another clock is ahead of ours.", ("clock",)),
    "bars_status": ("The checks of the status page: 0 well, 1 look at it soon, 2 not working.", ("check",)),
}
Reading = tuple[str, tuple[str, ...], float]


class DatabaseCollector:
    """For a registry of prometheus_client. `clock` tells this machine's own time."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing is read for that."""
        return [GaugeMetricFamily(name, words) for name, (words, _) in FAMILIES.items()]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            readings = [("bars_database_up", (), 1.0), *_own(), *_readings(database_time(), self.clock())]
        except DatabaseError:
            readings = [("bars_database_up", (), 0.0), *_own()]
        finally:
            _let_go()
        for name, (words, labels) in FAMILIES.items():
            family = GaugeMetricFamily(name, words, labels=labels)
            for found, values, number in readings:
                if found == name:
                    family.add_metric(values, number)
            yield family


def _own() -> Iterator[Reading]:
    room = postroom.room
    if room is not None:
        yield "bars_postroom_look_age_seconds", (), room.look_age
        yield "bars_postroom_under_way", (), room.under_way


def _readings(now: datetime, ours: datetime) -> Iterator[Reading]:
    for state, waiting in selectors.waiting_messages(now=now).items():
        yield "bars_queue_messages", (state,), waiting.count
        yield "bars_queue_oldest_seconds", (state,), _age(waiting.oldest, now)
    yield "bars_queue_ready_seconds", (), _age(selectors.oldest_that_could_go(now=now), now)
    spared = selectors.spared_services()
    for circuit in (CircuitState.OPEN, CircuitState.HALF_OPEN):
        yield "bars_circuits", (circuit,), sum(each.state == circuit for each in spared)
    for each in spared:
        yield "bars_circuit_failing_seconds", (partner_label(each.service_id),), _age(each.failing_since, now)
    beat = selectors.heartbeat()
    # A worker that never was is as bad as one that is long gone.
    yield "bars_worker_heartbeat_age_seconds", (), _age(beat, now) if beat else float("inf")
    yield "bars_audit_unsealed_seconds", (), _age(selectors.unsealed_since(), now)
    webhooks = selectors.webhooks(now=now)
    for state, count in (("on", webhooks.on), ("failing", webhooks.failing), ("off", webhooks.off)):
        yield "bars_webhooks", (state,), count
    yield "bars_webhook_deliveries_waiting", (), webhooks.waiting
    yield "bars_webhook_late_seconds", (), _age(webhooks.late_since, now)
    for file in watched.expiries():
        yield "bars_certificate_days_left", (file.name,), _days(file.ends_at, now) if file.ends_at else -1
    if presented := watched.first_presented(now=now):
        yield "bars_certificate_days_left", ("presented by callers",), _days(presented, now)
    yield "bars_token_failing_seconds", (), _age(selectors.token_state().failing_since, now)
    for clock, ahead in selectors.clocks(ours=ours).items():
        yield "bars_clock_ahead_seconds", (clock,), ahead
    levels = list(Level)
    for name, condition in selectors.conditions().items():
        yield "bars_status", (name,), levels.index(Level(condition.level))


def _days(moment: datetime, now: datetime) -> float:
    return (moment - now).total_seconds() / 86_400


def _age(moment: datetime | None, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds()) if moment else 0.0


@sample
def learn_partners() -> None:
    """Which names labels may hold: a service that is new in the directory counts within seconds."""
    try:
        known.learn(selectors.known_partners())
    except DatabaseError:
        # As it was.
        return
    finally:
        _let_go()


def _let_go() -> None:
    """The thread that asked keeps no connection from the pool."""
    if not connection.in_atomic_block:
        connection.close()
