"""When a request without a time of its own is due."""

from datetime import datetime, timedelta

from django.db.models import F, Q

from directory.models import HealthcareService
from referrals.models import BreachRule
from referrals.states import Category


def due_by_rule(
    *, service: HealthcareService, category: Category, priority: str, now: datetime
) -> datetime | None:
    """By the rule that says most about it: the service counts more than the priority. None without a rule."""
    rules = BreachRule.objects.filter(
        Q(service=service) | Q(service=None), Q(priority=priority) | Q(priority=""), category=category.value
    )
    first = rules.order_by(F("service").asc(nulls_last=True), F("priority").desc()).first()
    return now + timedelta(minutes=first.minutes) if first else None
