"""Retention: what may go, what stands for it, and that the rest can still be verified."""

import io
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from bars_portal.audit.actor import Actor
from bars_portal.audit.chain import pruning as pruning_module
from bars_portal.audit.chain.heads import believed_keys, read_heads
from bars_portal.audit.chain.pruning import PruningRefused, plan_pruning, prune
from bars_portal.audit.chain.sealer import seal_trail
from bars_portal.audit.chain.verification import verify
from bars_portal.audit.models import AuditEvent, Pruning, Seal
from tests.integration.audit.conftest import BEGAN, as_superuser

pytestmark = pytest.mark.django_db
OPERATOR = Actor("An operator")
DAYS = [BEGAN.date() + timedelta(days=day) for day in range(3)]
# A day later than the second day may be pruned by then.
THEN = BEGAN + timedelta(days=2 + 365)


@pytest.fixture(autouse=True)
def a_year(settings: Any, heads: Path) -> None:
    settings.AUDIT_RETENTION_DAYS = 365


def kinds(heads: Path) -> list[str]:
    report = verify(heads=read_heads(heads), keys=believed_keys(), now=THEN)
    return [finding.kind.value for finding in report.findings]


def test_what_retention_keeps_is_refused(chain: list[int]) -> None:
    with pytest.raises(PruningRefused, match="kept for 365 days"):
        prune(before=DAYS[2] + timedelta(days=1), actor=OPERATOR, now=THEN)
    assert AuditEvent.objects.filter(pk__in=chain).count() == 9


def test_a_dry_run_says_what_would_go(chain: list[int]) -> None:
    assert plan_pruning(before=DAYS[1], now=THEN).days == {DAYS[0]: 3}
    assert plan_pruning(before=DAYS[2], now=THEN).days == {DAYS[0]: 3, DAYS[1]: 3}
    assert plan_pruning(before=DAYS[0], now=THEN).days == {}
    said = io.StringIO()
    call_command("prune_audit", "--before", "2020-01-01", "--dry-run", stdout=said)
    assert "Nothing removed (dry run)." in said.getvalue()
    assert AuditEvent.objects.filter(pk__in=chain).count() == 9


@pytest.mark.parametrize("together", [2, 50_000])
def test_what_is_left_can_be_verified(
    chain: list[int], heads: Path, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning_module, "_TOGETHER", together)
    prune(before=DAYS[1], actor=OPERATOR, now=THEN)
    prune(before=DAYS[2], actor=OPERATOR, now=THEN)
    assert (
        list(AuditEvent.objects.filter(pk__in=chain).order_by("pk").values_list("pk", flat=True)) == chain[6:]
    )
    seal_trail(now=THEN)
    assert kinds(heads) == []
    went = [day for each in Pruning.objects.all() for day, count in each.days.items() for _ in range(count)]
    assert went == [str(day) for day in DAYS[:2] for _ in range(3)]
    told = [json.loads(line) for line in (heads / "prunings.jsonl").read_text().splitlines()]
    assert sum(count for each in told for count in each["days"].values()) == 6
    assert AuditEvent.objects.filter(action="audit.prune", actor_label=OPERATOR.label).count() == 2


def test_all_days_may_go_but_the_newest_seal(chain: list[int], heads: Path) -> None:
    later = THEN + timedelta(days=30)
    prune(before=date(2026, 8, 1), actor=OPERATOR, now=later)
    assert Seal.objects.count() == 1
    seal_trail(now=later)
    assert kinds(heads) == []


def test_tampering_with_what_is_left_is_still_found(chain: list[int], heads: Path) -> None:
    prune(before=DAYS[1], actor=OPERATOR, now=THEN)
    seal_trail(now=THEN)
    as_superuser(f"DELETE FROM audit_auditevent WHERE id = {chain[5]}")
    assert kinds(heads) == ["missing"]


def test_what_was_tampered_with_does_not_go(chain: list[int]) -> None:
    as_superuser(f"UPDATE audit_auditevent SET action = 'x' WHERE id = {chain[1]}")
    with pytest.raises(PruningRefused, match=f"Event {chain[1]} of 2026-07-14"):
        prune(before=DAYS[1], actor=OPERATOR, now=THEN)


def test_nobody_else_can_say_that_something_was_pruned(chain: list[int], heads: Path) -> None:
    prune(before=DAYS[1], actor=OPERATOR, now=THEN)
    seal_trail(now=THEN)
    as_superuser("""UPDATE audit_pruning SET days = '{"2026-07-14": 2}'""")
    assert kinds(heads) == ["pruning-forged"]


def test_the_triggers_let_only_the_pruning_transaction_delete(chain: list[int]) -> None:
    for setting in ("1", "yes"):
        with (
            pytest.raises(IntegrityError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT set_config('audit.pruning', %s, true)", [setting])
            cursor.execute("DELETE FROM audit_auditevent")


def test_without_a_key_nothing_goes(chain: list[int], settings: Any, tmp_path: Path) -> None:
    public = str(tmp_path / "keys" / "audit.public.pem")
    settings.AUDIT_SIGNING_KEY_FILE = ""
    settings.AUDIT_PUBLIC_KEY_FILES = [public]
    with pytest.raises(ImproperlyConfigured, match="AUDIT_SIGNING_KEY_FILE"):
        prune(before=DAYS[1], actor=OPERATOR, now=THEN)
    assert AuditEvent.objects.filter(pk__in=chain).count() == 9
