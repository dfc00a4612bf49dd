"""The fail-safe: validations whose time to answer by has passed without an outcome, and what just arrived."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from bars_portal.accounts.acting import Acting
from bookings.models import Booking
from bookings.states import VIEW_PERMISSION as VIEW_BOOKINGS
from referrals.models import Referral, ValidationCase
from referrals.permissions import VIEW
from referrals.states import OPEN, Direction
from referrals.worklist_query import CASES, Kind

_MODELS: dict[Kind, type[Any]] = {
    Kind.REFERRAL: Referral,
    Kind.VALIDATION: ValidationCase,
    Kind.BOOKING: Booking,
}
_VIEW = dict.fromkeys(CASES, VIEW[Direction.RECEIVED]) | {Kind.BOOKING: VIEW_BOOKINGS[Direction.RECEIVED]}


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


def arrived_since(acting: Acting, moment: datetime, kinds: Collection[Kind] = CASES) -> int:
    """How much of these kinds was received after `moment`."""
    return sum(
        _MODELS[kind]
        .objects.filter(organisation=acting.organisation, direction=Direction.RECEIVED, created_at__gt=moment)
        .count()
        for kind in kinds
        if acting.may(_VIEW[kind])
    )
