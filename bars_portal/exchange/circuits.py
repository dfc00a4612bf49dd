"""Sparing a partner that is down: a circuit for each service, closed, open, half-open with one probe.

The database settles who probes and what counts, by conditional UPDATEs: all processes see one circuit.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Case, DateTimeField, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from bars_portal.exchange.models import CircuitChange, CircuitState, PartnerCircuit
from bars_portal.exchange.transport.judgement import Health

# So many failures with no answer between them say that a partner is down.
FAILURES = 3
# How long it is spared after that, and after each probe that fails, the longer the more of them failed.
SPARED = timedelta(seconds=30)
LONGEST_SPARED = timedelta(minutes=5)
# Longer than one request can last (transport.client): a probe whose worker died holds nobody up for more.
PROBE = timedelta(seconds=60)

_CLOSED, _OPEN, _HALF = CircuitState.CLOSED, CircuitState.OPEN, CircuitState.HALF_OPEN
_NOT_AT_REST = ~Q(state=_CLOSED) | Q(failures__gt=0)


class Admission(StrEnum):
    """Whether a request may go out now."""

    FREE = "free"
    PROBE = "probe"
    REFUSED = "refused"


def is_at_rest(service_id: str) -> bool:
    """Closed, with no failure counted: as most are, and known without asking for the time."""
    return not PartnerCircuit.objects.filter(_NOT_AT_REST, pk=service_id).exists()


def admit(service_id: str, *, now: datetime) -> Admission:
    """Of many who ask once an open circuit's time has come, one becomes its probe."""
    circuit = PartnerCircuit.objects.filter(pk=service_id).first()
    if circuit is None or circuit.state == _CLOSED:
        return Admission.FREE
    if circuit.retry_at is not None and circuit.retry_at > now:
        return Admission.REFUSED
    # Also when it is half-open: then its probe never came back.
    rows = PartnerCircuit.objects.filter(pk=service_id, state=circuit.state, retry_at=circuit.retry_at)
    won = rows.update(state=_HALF, retry_at=now + PROBE)
    return Admission.PROBE if won else Admission.REFUSED


def give_back(service_id: str, admission: Admission, *, now: datetime) -> None:
    """It was not sent after all: the next one who asks may be the probe."""
    if admission is Admission.PROBE:
        _reopen(service_id, now)


def note(
    service_id: str, health: Health, admission: Admission, *, now: datetime, retry_after: int | None = None
) -> None:
    """What one request showed. `retry_after` (seconds): what a partner that is down has asked for."""
    if health is Health.UP:
        changed = Case(When(~Q(state=_CLOSED), then=Value(now)), default=F("changed_at"))
        if PartnerCircuit.objects.filter(_NOT_AT_REST, pk=service_id).update(
            state=_CLOSED, failures=0, probes=0, failing_since=None, retry_at=None, changed_at=changed
        ):
            _remember_change(service_id, now)
    elif health is Health.DOWN:
        _note_failure(service_id, now, retry_after)
    elif admission is Admission.PROBE:
        # It told nothing of the partner: another one will.
        _reopen(service_id, now + SPARED)


def forget(service_id: str) -> None:
    """For whoever made it fail on purpose."""
    PartnerCircuit.objects.filter(pk=service_id).delete()


def _reopen(service_id: str, retry_at: datetime) -> None:
    PartnerCircuit.objects.filter(pk=service_id, state=_HALF).update(state=_OPEN, retry_at=retry_at)


def _note_failure(service_id: str, now: datetime, retry_after: int | None) -> None:
    PartnerCircuit.objects.bulk_create([PartnerCircuit(service_id=service_id)], ignore_conflicts=True)
    asked = min(timedelta(seconds=retry_after or 0), LONGEST_SPARED)
    # An attempt that began before the circuit opened, and fails after, spares nobody for longer.
    opens = Q(state=_HALF) | Q(state=_CLOSED, failures__gte=FAILURES - 1)
    by_probes = (
        When(probes=probes, then=Value(now + max(_spared(probes), asked))) for probes in range(_STEPS)
    )
    spared = Case(*by_probes, default=Value(now + LONGEST_SPARED), output_field=DateTimeField())
    PartnerCircuit.objects.filter(pk=service_id).update(
        failures=F("failures") + 1,
        failing_since=Coalesce(F("failing_since"), Value(now), output_field=DateTimeField()),
        state=Case(When(opens, then=Value(_OPEN)), default=F("state")),
        probes=Case(When(opens, then=F("probes") + 1), default=F("probes"), output_field=IntegerField()),
        retry_at=Case(When(opens, then=spared), default=F("retry_at")),
        changed_at=Case(When(opens & Q(state=_CLOSED), then=Value(now)), default=F("changed_at")),
    )
    _remember_change(service_id, now)


def _remember_change(service_id: str, now: datetime) -> None:
    """Whoever changed it, by the time that only its own UPDATE wrote; of two at one instant the first."""
    for circuit in PartnerCircuit.objects.filter(pk=service_id, changed_at=now):
        change = CircuitChange(service_id=service_id, at=now, state=circuit.state)
        CircuitChange.objects.bulk_create([change], ignore_conflicts=True)


# 30 s, 1 min, 2, 4; after that the longest.
_STEPS = 4


def _spared(probes: int) -> timedelta:
    return min(timedelta(seconds=SPARED.total_seconds() * 2**probes), LONGEST_SPARED)


def spared_now(*, now: datetime) -> Mapping[str, bool]:
    """The services whose circuit is not closed; True when a probe of theirs may go out."""
    rows = _not_closed().values_list("pk", "retry_at")
    return {service_id: retry_at is None or retry_at <= now for service_id, retry_at in rows}


def not_answering(service_ids: Iterable[str]) -> Mapping[str, datetime]:
    """Since when those of them do not answer whose circuit is not closed."""
    rows = _not_closed().filter(pk__in=list(service_ids), failing_since__isnull=False)
    return {service_id: since for service_id, since in rows.values_list("pk", "failing_since") if since}


def _not_closed() -> QuerySet[PartnerCircuit]:
    return PartnerCircuit.objects.exclude(state=_CLOSED)
