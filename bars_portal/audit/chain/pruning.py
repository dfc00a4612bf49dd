"""Retention: events whose time is over go from the beginning of the chain; something signed stands for them.

For the owner of the tables alone. What goes is verified first: this is no way to be rid of what was changed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from django.conf import settings
from django.db import connection, transaction

from bars_portal.audit.actor import Actor
from bars_portal.audit.chain import heads, sealer
from bars_portal.audit.chain.heads import believed_keys, signed
from bars_portal.audit.chain.sealer import as_text
from bars_portal.audit.chain.verification import verify
from bars_portal.audit.models import Pruning, Seal
from bars_portal.audit.services import record

# Events that go in one transaction.
_TOGETHER = 50_000


class PruningRefused(Exception):
    """The text says why, for an operator."""


@dataclass(frozen=True)
class Plan:
    """Seals up to `until` go, with so many events of each day; none where `until` is None."""

    until: int | None
    days: dict[date, int]

    @property
    def events(self) -> int:
        return sum(self.days.values())


def newest_prunable(now: datetime) -> date:
    """Days before this one may go."""
    return now.astimezone(UTC).date() - timedelta(days=settings.AUDIT_RETENTION_DAYS)


def plan_pruning(*, before: date, now: datetime) -> Plan:
    """The beginning of the chain that is older than `before`; the newest seal always stays.

    Raises PruningRefused for what retention keeps.
    """
    if before > newest_prunable(now):
        kept = settings.AUDIT_RETENTION_DAYS
        raise PruningRefused(
            f"Events are kept for {kept} days (AUDIT_RETENTION_DAYS): before {newest_prunable(now)} at most."
        )
    stays = Seal.objects.filter(day__gte=before).order_by("number").first() or Seal.objects.last()
    goes = Seal.objects.filter(number__lt=stays.number) if stays else Seal.objects.none()
    days = dict.fromkeys(goes.values_list("day", flat=True), 0)
    for day, events in goes.values_list("day", "event_ids__len").iterator():
        # Of an empty array PostgreSQL knows no length.
        days[day] += events or 0
    last = goes.last()
    return Plan(last.number if last else None, {day: count for day, count in sorted(days.items()) if count})


def prune(*, before: date, actor: Actor, now: datetime) -> Plan:
    """As planned. Raises PruningRefused, ImproperlyConfigured without a key that signs."""
    plan = plan_pruning(before=before, now=now)
    if plan.until is None:
        return plan
    report = verify(heads=None, keys=believed_keys(), now=now, until=plan.until)
    if not report.is_intact:
        raise PruningRefused(f"What would go was changed: {report.findings[0].words} Run verify_audit.")
    for first, last in list(_steps(plan.until)):
        pruning = _prune_step(first, last, actor, now)
        place = heads.folder()
        if place is not None:
            heads.append(place, "prunings.jsonl", _told(pruning))
    record(
        actor=actor,
        action="audit.prune",
        detail={"before": before.isoformat(), "events": plan.events, "seals_up_to": plan.until},
        now=now,
    )
    return plan


def _steps(until: int) -> Iterator[tuple[int, int]]:
    """First and last seal of each transaction."""
    seals = Seal.objects.filter(number__lte=until).order_by("number").values_list("number", "total")
    for _, same in groupby(seals.iterator(), key=lambda seal: seal[1] // _TOGETHER):
        numbers = [number for number, _ in same]
        yield numbers[0], numbers[-1]


@transaction.atomic
def _prune_step(first: int, last: int, actor: Actor, now: datetime) -> Pruning:
    sealer.lock_chain()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        # The triggers let this transaction delete; privileges still ask for the owner.
        cursor.execute("SELECT set_config('audit.pruning', pg_current_xact_id()::text, true)")
        cursor.execute(
            """SELECT day::text, sum(cardinality(event_ids)) FROM audit_seal
            WHERE number BETWEEN %s AND %s GROUP BY day ORDER BY day""",
            [first, last],
        )
        days = {day: int(count) for day, count in cursor.fetchall() if count}
        end = Seal.objects.get(number=last)
        cursor.execute(
            """DELETE FROM audit_auditevent WHERE id IN
            (SELECT unnest(event_ids) FROM audit_seal WHERE number BETWEEN %s AND %s)""",
            [first, last],
        )
        if cursor.rowcount != sum(days.values()):
            raise PruningRefused("Somebody changed the trail meanwhile: nothing of this step was removed.")
        cursor.execute("DELETE FROM audit_seal WHERE number BETWEEN %s AND %s", [first, last])
    pruning = signed(
        Pruning(
            number=last,
            first_number=first,
            total=end.total,
            hash=end.hash,
            days=days,
            pruned_at=now,
            actor_label=actor.label,
        )
    )
    pruning.save(force_insert=True)
    return pruning


def _told(pruning: Pruning) -> dict[str, object]:
    """A line for the folder of the heads."""
    return {
        "first_number": pruning.first_number,
        "number": pruning.number,
        "total": pruning.total,
        "hash": bytes(pruning.hash).hex(),
        "days": pruning.days,
        "pruned_at": as_text(pruning.pruned_at),
        "actor": pruning.actor_label,
        "key": pruning.key,
        "signature": bytes(pruning.signature).hex(),
    }
