"""What staff of an installation set up: codes that forms offer, and when a request without a time is due."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction

from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.exchange.fhir.codes import ARPPriority
from directory.models import HealthcareService
from referrals.cases.codes import CodeRow, ListName, code_fault, is_usable
from referrals.cases.states import Category

_A_WEEK = 7 * 24 * 60


class ListedCode(models.Model):
    """A code that a form offers, as (system, code, display)."""

    list_name = models.CharField(
        "list", max_length=20, choices=[(each.value, each.label) for each in ListName]
    )
    system = models.CharField(max_length=200)
    code = models.CharField(max_length=100)
    display = models.CharField("words", max_length=300)
    # A code that is no longer offered still has its words here.
    offered = models.BooleanField(default=True)

    class Meta:
        ordering = ["list_name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["list_name", "system", "code"], name="listed_code_once"),
        ]

    def __str__(self) -> str:
        return f"{self.display} ({self.code})"

    def clean(self) -> None:
        if not is_usable(self.system, self.code, self.display):
            raise ValidationError("The system must be an address, and code and words plain text.")
        if words := code_fault(self.system, self.code):
            raise ValidationError({"code": f"{words[:1].upper()}{words[1:]}."})


class BreachRule(models.Model):
    """Until when a received request is to be answered that says no time itself."""

    # None: every service. "": every priority.
    service = models.ForeignKey(
        HealthcareService, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    category = models.CharField(
        max_length=10,
        choices=[(each.value, each.value.capitalize()) for each in Category],
        default=Category.VALIDATION,
    )
    priority = models.CharField(
        max_length=10, blank=True, choices=[(each.value, each.display) for each in ARPPriority]
    )
    # An outcome code of the message, such as a Pathways disposition (Dx); "" for any.
    outcome_code = models.CharField(max_length=20, blank=True, default="", db_default="")
    minutes = models.PositiveIntegerField(
        "minutes to answer", validators=[MinValueValidator(1), MaxValueValidator(_A_WEEK)]
    )

    class Meta:
        ordering = ["category", "service__name", "priority"]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "category", "priority", "outcome_code"],
                name="breach_rule_once",
                nulls_distinct=False,
                violation_error_message="There is a rule of the same kind already.",
            ),
        ]

    def __str__(self) -> str:
        kind, urgency = self.get_category_display(), self.get_priority_display() or "any priority"
        return f"{kind}, {urgency}: {self.minutes} minutes"


def offered_codes(*names: str) -> list[CodeRow]:
    """In their order, of these lists; of all lists when none is named."""
    rows = ListedCode.objects.filter(offered=True)
    chosen = rows.filter(list_name__in=names) if names else rows
    return [CodeRow(*each) for each in chosen.values_list("list_name", "system", "code", "display")]


Setting = ListedCode | BreachRule


@transaction.atomic
def save_setting(*, row: Setting, actor: Actor, now: datetime) -> None:
    row.save()
    record(actor=actor, action=f"referrals.save_{row._meta.model_name}", subject=row, now=now)


@transaction.atomic
def remove_setting(*, row: Setting, actor: Actor, now: datetime) -> None:
    record(actor=actor, action=f"referrals.remove_{row._meta.model_name}", subject=row, now=now)
    row.delete()


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
