"""How the exchange with each partner goes, from every attempt that ended: is it them, or is it us?

A partner is a service, by its DoS service id. Attempts count by when their message was written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import Aggregate, Count, FloatField, Q, QuerySet

from bars_portal.exchange.models import (
    CircuitChange,
    CircuitState,
    DeliveryAttempt,
    InboundMessage,
    InboundState,
    PartnerCircuit,
    SeenCertificate,
)
from bars_portal.exchange.registry import services
from bars_portal.exchange.settlement import NOT_SENT_REASONS
from bars_portal.exchange.transport.judgement import Delivery

_SUCCEEDED = (Delivery.ACCEPTED, Delivery.DUPLICATE, Delivery.FOUND)
_MOST_CHANGES = 20
_MOST_CODES = 20


class Window(StrEnum):
    """How far back the figures go."""

    DAY = "day"
    WEEK = "week"

    @property
    def label(self) -> str:
        return "The last 24 hours" if self is Window.DAY else "The last 7 days"

    def since(self, now: datetime) -> datetime:
        return now - (timedelta(days=1) if self is Window.DAY else timedelta(days=7))


class _Percentile(Aggregate):
    """Of the attempts that were answered: NULLs do not count."""

    function = "percentile_cont"
    template = "%(function)s(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


@dataclass(frozen=True)
class Figures:
    """Attempts that ended. `median_ms` and `late_ms` (95 of 100 are quicker): of those that were answered."""

    attempts: int = 0
    succeeded: int = 0
    refused: int = 0
    # They never left: no token, no connection to the proxy.
    not_sent: int = 0
    median_ms: float | None = None
    late_ms: float | None = None

    @property
    def unclear(self) -> int:
        """They went out, and no clear answer came."""
        return self.attempts - self.succeeded - self.refused - self.not_sent

    @property
    def success_rate(self) -> float | None:
        """From 0 to 1."""
        return self.succeeded / self.attempts if self.attempts else None


def figures_by_partner(organisation_id: int, *, since: datetime) -> dict[str, Figures]:
    """Of every partner that something was sent to."""
    not_sent = Q(outcome=Delivery.UNKNOWN, reason__in=NOT_SENT_REASONS)
    rows = (
        _attempts(organisation_id, since)
        .values_list("message__service_id")
        .annotate(
            attempts=Count("pk"),
            succeeded=Count("pk", filter=Q(outcome__in=_SUCCEEDED)),
            refused=Count("pk", filter=Q(outcome=Delivery.REFUSED)),
            not_sent=Count("pk", filter=not_sent),
            median=_Percentile("elapsed_ms", fraction="0.5"),
            late=_Percentile("elapsed_ms", fraction="0.95"),
        )
    )
    return {service_id: Figures(*counted) for service_id, *counted in rows.order_by()}


def _attempts(organisation_id: int, since: datetime) -> QuerySet[DeliveryAttempt]:
    rows = DeliveryAttempt.objects.filter(message__organisation=organisation_id)
    return rows.filter(message__created_at__gte=since).exclude(outcome="")


def outcomes_by_code(
    organisation_id: int, service_id: str, *, since: datetime
) -> list[tuple[str, str, int | None, int]]:
    """(outcome, reason, HTTP status, how often) of attempts that did not succeed; the most frequent first."""
    rows = _attempts(organisation_id, since).filter(message__service_id=service_id)
    counted = rows.exclude(outcome__in=_SUCCEEDED).values_list("outcome", "reason", "status_code")
    found = counted.annotate(times=Count("pk")).order_by("-times", "outcome", "reason")[:_MOST_CODES]
    return [(outcome, reason, status, times) for outcome, reason, status, times in found]


@dataclass(frozen=True)
class Heard:
    """What the partner sent to our services and we could read."""

    messages: int
    refused: int


def heard_from(organisation_id: int, service_id: str, *, since: datetime) -> Heard:
    ours = list(services.provider.provided_by(organisation_id))
    rows = InboundMessage.objects.filter(
        service_id__in=ours, source_service_id=service_id, received_at__gte=since
    )
    refused = Count("pk", filter=Q(state=InboundState.REFUSED))
    found = rows.aggregate(messages=Count("pk"), refused=refused)
    return Heard(found["messages"], found["refused"])


# -- circuits and certificates


def circuits_of(service_ids: Sequence[str]) -> Mapping[str, PartnerCircuit]:
    """Of those that ever failed."""
    return {each.service_id: each for each in PartnerCircuit.objects.filter(pk__in=service_ids)}


def circuit_changes(service_id: str) -> Sequence[CircuitChange]:
    """When it stopped answering and when it answered again, the newest first."""
    return list(CircuitChange.objects.filter(service_id=service_id)[:_MOST_CHANGES])


def seen_certificates() -> Sequence[SeenCertificate]:
    """Those of callers that were let in: of the installation, for one proxy calls for everybody."""
    return list(SeenCertificate.objects.all()[:_MOST_CHANGES])


# -- them or us: pure


class Fault(StrEnum):
    NOTHING = "nothing"
    NONE = "none"
    THEM = "them"
    US = "us"
    BETWEEN = "between"
    REFUSING = "refusing"


# Of attempts: from here on something is wrong.
_MANY = 0.2
# Fewer attempts than that say little of the others.
_ENOUGH = 5


def whose_fault(own: Figures, others: Figures, circuit: CircuitState | str) -> Fault:
    """What the figures point at. `others`: all other partners of the organisation together.

    Them: only this one gives no clear answer. Between: nobody does, so it is the proxy, the network or us.
    Us: attempts never left. Refusing: it answers, and says no to what we send.
    """
    if not own.attempts:
        return Fault.THEM if circuit != CircuitState.CLOSED else Fault.NOTHING
    if own.not_sent / own.attempts >= _MANY:
        return Fault.US
    if circuit != CircuitState.CLOSED or own.unclear / own.attempts >= _MANY:
        all_fail = others.attempts >= _ENOUGH and (others.unclear + others.not_sent) / others.attempts >= 0.5
        return Fault.BETWEEN if all_fail else Fault.THEM
    return Fault.REFUSING if own.refused / own.attempts >= _MANY else Fault.NONE


def together(figures: Sequence[Figures]) -> Figures:
    """Counts only: percentiles do not add up."""
    names = ("attempts", "succeeded", "refused", "not_sent")
    counted: dict[str, Any] = {name: sum(getattr(each, name) for each in figures) for name in names}
    return Figures(**counted)
