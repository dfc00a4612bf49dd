"""Reads of the whole installation's state: counts, ages, and names of services. Nothing about any patient."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from celery import current_app
from django.conf import settings
from django.db import connection
from django.db.models import Count, F, Max, Min

from bars_portal.accounts.models import Organisation
from bars_portal.api.webhooks import selectors as webhook_rows
from bars_portal.audit.chain.sealer import end_of_chain
from bars_portal.audit.models import AuditEvent
from bars_portal.exchange import circuits
from bars_portal.exchange.gateway.senders import connections
from bars_portal.exchange.gateway.tokens import server_ahead_seconds
from bars_portal.exchange.models import (
    GIVEN_UP,
    AccessToken,
    CircuitState,
    DeliveryState,
    Heartbeat,
    OutboundMessage,
    PartnerCircuit,
)
from bars_portal.exchange.postroom import HEARTBEAT
from bars_portal.sql import database_time
from bars_portal.status.models import Condition
from bookings.models import Clinic
from bookings.selectors.clinics import is_behind
from directory.models import HealthcareService

_WAITING = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.UNKNOWN)
# What was given up counts for so long: after that it is on the pages of who sent it.
GIVEN_UP_FOR = timedelta(days=1)
BROKER_SECONDS = 2


@dataclass(frozen=True)
class Waiting:
    """Messages of one state, and when the oldest of them was written."""

    count: int
    oldest: datetime | None


def waiting_messages(*, now: datetime) -> Mapping[str, Waiting]:
    """By state, also those of which there are none; of what was given up, the last day's."""
    rows = (
        OutboundMessage.objects.filter(state__in=_WAITING)
        .order_by()
        .values_list("state")
        .annotate(count=Count("pk"), oldest=Min("created_at"))
    )
    found = {state: Waiting(count, oldest) for state, count, oldest in rows}
    lately = OutboundMessage.objects.filter(GIVEN_UP, settled_at__gt=now - GIVEN_UP_FOR)
    given_up = lately.aggregate(count=Count("pk"), oldest=Min("created_at"))
    found[DeliveryState.ABANDONED] = Waiting(given_up["count"], given_up["oldest"])
    return {str(state): found.get(state, Waiting(0, None)) for state in (*_WAITING, DeliveryState.ABANDONED)}


def oldest_that_could_go(*, now: datetime) -> datetime | None:
    """Since when something waits to be sent to a service that is not spared."""
    queued = OutboundMessage.objects.filter(state=DeliveryState.QUEUED)
    spared = circuits.spared_now(now=now)
    oldest: datetime | None = queued.exclude(service_id__in=spared).aggregate(at=Min("created_at"))["at"]
    return oldest


@dataclass(frozen=True)
class Spared:
    """A service whose circuit is not closed."""

    service_id: str
    name: str
    state: str
    failing_since: datetime | None


def spared_services() -> list[Spared]:
    rows = list(PartnerCircuit.objects.exclude(state=CircuitState.CLOSED).order_by("failing_since"))
    named = HealthcareService.objects.filter(service_id__in=[row.service_id for row in rows])
    names = dict(named.values_list("service_id", "name"))
    return [
        Spared(
            row.service_id,
            names.get(row.service_id, "a service that is not in the directory"),
            row.state,
            row.failing_since,
        )
        for row in rows
    ]


def last_answer() -> datetime | None:
    """When any service last answered us; None: none was asked yet, or none has."""
    last: datetime | None = HealthcareService.objects.aggregate(at=Max("last_success_at"))["at"]
    return last


def clinics_behind(*, now: datetime) -> list[str]:
    """Service and name of each clinic whose slots are not made as far ahead as it says."""
    active = Clinic.objects.filter(active=True).select_related("service")
    return [str(each) for each in active if is_behind(each, now=now)]


def heartbeat() -> datetime | None:
    """When a worker last looked at what waits, by the database's clock; None: never."""
    return Heartbeat.objects.filter(pk=HEARTBEAT).values_list("seen_at", flat=True).first()


def unsealed_since() -> datetime | None:
    """When the oldest event of the trail was written that its chain does not hold yet; None: it holds all."""
    later = AuditEvent.objects.filter(pk__gt=end_of_chain().last_id)
    return later.order_by("pk").values_list("at", flat=True).first()


@dataclass(frozen=True)
class Webhooks:
    """How many there are, of those that take nothing at the moment, and that switched themselves off."""

    on: int
    failing: int
    off: int
    # Deliveries that wait, and since when one is due that nobody has tried.
    waiting: int
    late_since: datetime | None


def webhooks(*, now: datetime) -> Webhooks:
    on, failing = webhook_rows.delivering_and_failing(now=now)
    waiting, late_since = webhook_rows.waiting(now=now)
    return Webhooks(on, failing, webhook_rows.off_by_itself().count(), waiting, late_since)


@dataclass(frozen=True)
class TokenState:
    """`whose`: the organisation, when it is the token of its own application."""

    expires_at: datetime | None
    failing_since: datetime | None
    whose: str = ""


def token_state() -> TokenState:
    """Of all tokens in use the one whose renewal has failed for longest, else the one that ends first."""
    owners = {str(row.pk): row.organisation for row in connections()}
    rows = AccessToken.objects.filter(environment=settings.BARS["ENVIRONMENT"])
    worst_first = rows.order_by(F("failing_since").asc(nulls_last=True), F("expires_at").asc(nulls_last=True))
    for row in worst_first:
        owner = owners.get(row.holder.partition(":")[0])
        if owner is not None or (not row.holder and row.key_id == settings.BARS["KEY_ID"]):
            return TokenState(row.expires_at, row.failing_since, str(owner or ""))
    return TokenState(None, None)


def clocks(*, ours: datetime) -> Mapping[str, int]:
    """How many seconds each is ahead of ours; behind is negative."""
    beside = round((database_time() - ours).total_seconds())
    return {"token server": server_ahead_seconds(), "database": beside}


def broker_answers() -> bool:
    """Within BROKER_SECONDS for each step: to connect, and to be answered."""
    bounds = {"socket_timeout": BROKER_SECONDS, "connect_timeout": BROKER_SECONDS}
    # A folder has no such options.
    limits = bounds if settings.BROKER_IS_REMOTE else {}
    options = {**settings.CELERY_BROKER_TRANSPORT_OPTIONS, "max_retries": 0, **limits}
    broker = current_app.connection_for_write(
        settings.CELERY_BROKER_URL, connect_timeout=BROKER_SECONDS, transport_options=options
    )
    try:
        with broker:
            broker.connect()
            # Redis is spoken to only here.
            broker.default_channel  # noqa: B018 - opening it is the question
    except Exception:  # noqa: BLE001 - each transport has errors of its own, and all of them mean no
        return False
    return True


@dataclass(frozen=True)
class Disk:
    name: str
    free_share: float


def disks() -> Iterator[Disk]:
    """Of the folders that we write to: the demo's queue, and where the trail's signed heads go."""
    folders = {"the queue": settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("data_folder_out", "")}
    folders["the signed heads of the trail"] = settings.AUDIT_HEADS_FOLDER
    for name, folder in folders.items():
        if folder and Path(folder).is_dir():
            usage = shutil.disk_usage(folder)
            yield Disk(name, usage.free / usage.total)


def pool_shortage() -> int:
    """How many requests of this process wait for a connection; 0 as well where there is no pool."""
    pool = getattr(connection, "pool", None)
    return int(pool.get_stats().get("requests_waiting", 0)) if pool is not None else 0


def conditions() -> Mapping[str, Condition]:
    return Condition.objects.in_bulk()


def known_partners() -> frozenset[str]:
    """ODS codes and service ids that labels of figures may name."""
    codes = Organisation.objects.values_list("ods_code", flat=True)
    return frozenset([*codes, *HealthcareService.objects.values_list("service_id", flat=True)])
