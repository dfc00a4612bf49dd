"""The fail-safe: validations whose time to answer by has passed without an outcome, and what just arrived."""

from datetime import datetime

from django.db.models import QuerySet

from bars_portal.accounts.acting import Acting
from referrals.models import MODELS, ValidationCase
from referrals.permissions import VIEW
from referrals.states import OPEN, Category, Direction


def breached_validations(acting: Acting, direction: Direction, *, now: datetime) -> QuerySet[ValidationCase]:
    """Longest overdue first, of the acting organisation (standard section 9, workflow 4).

    Sent ones count too: nobody may have looked at the patient, and nobody else will raise the alarm.
    """
    if not acting.may(VIEW[direction]):
        return ValidationCase.objects.none()
    rows = ValidationCase.objects.filter(
        organisation=acting.organisation,
        direction=direction,
        status__in=sorted(OPEN),
        breach_at__lt=now,
    )
    return rows.select_related("service", "patient").order_by("breach_at", "id")


def arrived_since(acting: Acting, moment: datetime) -> int:
    """How many cases were received after `moment`."""
    if not acting.may(VIEW[Direction.RECEIVED]):
        return 0
    return sum(
        MODELS[category]
        .objects.filter(organisation=acting.organisation, direction=Direction.RECEIVED, created_at__gt=moment)
        .count()
        for category in Category
    )
