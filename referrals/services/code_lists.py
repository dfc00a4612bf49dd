"""Changing code lists."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from referrals.code_file import CodeRow
from referrals.models import ListedCode

_BATCH = 2_000


@dataclass(frozen=True)
class CodeCounts:
    """`withdrawn`: codes of the same lists that are no longer offered, because the file has them not."""

    read: int
    withdrawn: int


@transaction.atomic
def import_codes(
    *, rows: Iterable[CodeRow], replace: bool, actor: Actor, now: datetime, dry_run: bool = False
) -> CodeCounts:
    """Insert or update every row, all or nothing; `replace` withdraws what their lists had besides."""
    codes = [
        ListedCode(list_name=row.list, system=row.system, code=row.code, display=row.display) for row in rows
    ]
    ListedCode.objects.bulk_create(
        codes,
        batch_size=_BATCH,
        update_conflicts=True,
        unique_fields=["list_name", "system", "code"],
        update_fields=["display", "offered"],
    )
    withdrawn = _withdraw(codes) if replace else 0
    counts = CodeCounts(len(codes), withdrawn)
    record(
        actor=actor,
        action="referrals.import_codes",
        detail={"read": counts.read, "withdrawn": counts.withdrawn},
        now=now,
    )
    if dry_run:
        transaction.set_rollback(True)
    return counts


def _withdraw(codes: list[ListedCode]) -> int:
    kept = {(each.list_name, each.system, each.code) for each in codes}
    names = {each.list_name for each in codes}
    rows = ListedCode.objects.filter(list_name__in=names, offered=True)
    gone = [
        key for key, *code in rows.values_list("pk", "list_name", "system", "code") if tuple(code) not in kept
    ]
    return ListedCode.objects.filter(pk__in=gone).update(offered=False)
