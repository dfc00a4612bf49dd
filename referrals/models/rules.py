"""What staff of an installation set up: codes that forms offer, and when a request without a time is due."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from bars_portal.exchange.fhir.codes import ARPPriority
from directory.models import HealthcareService
from referrals.code_file import ListName, is_usable
from referrals.states import Category

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
    minutes = models.PositiveIntegerField(
        "minutes to answer", validators=[MinValueValidator(1), MaxValueValidator(_A_WEEK)]
    )

    class Meta:
        ordering = ["category", "service__name", "priority"]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "category", "priority"],
                name="breach_rule_once",
                nulls_distinct=False,
                violation_error_message="There is a rule for this service, category and priority already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category} {self.priority or 'of any priority'}: {self.minutes} minutes"
