"""Received bookings as rows of the worklist: an appointment is due when it starts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, BooleanField, CharField, F, IntegerField, QuerySet, Value

from bars_portal.accounts.acting import Acting
from bars_portal.correspondence.states import Direction
from bars_portal.nhsuk.dates import in_london, london_midnight
from bookings.models import Booking
from bookings.states import VIEW_PERMISSION, BookingStatus
from referrals.priorities import NOT_STATED
from referrals.worklist_query import Filters, Held, Kind

# What a case has and a booking has not, in the types of the case's columns: the sides are joined.
_MISSING = {
    "priority": Value("", output_field=CharField()),
    "flags": Value([], output_field=ArrayField(CharField(max_length=20))),
    "safeguarding": Value(False, output_field=BooleanField()),
    "scene_unsafe": Value(False, output_field=BooleanField()),
    "assigned_to_id": Value(None, output_field=BigIntegerField()),
    "answer_state": Value(None, output_field=CharField()),
}
_NOBODY = ("first_name", "last_name", "username")


def booking_rows(
    acting: Acting, chosen: Filters, *, columns: Sequence[str], joined: Mapping[str, F]
) -> QuerySet[Any]:
    """With the columns of the other sides; none for who may not see received bookings."""
    nobody = {name: Value("", output_field=CharField()) for name in _NOBODY}
    named: QuerySet[Any] = (
        _filtered(acting, chosen)
        .annotate(
            kind=Value(Kind.BOOKING.value, output_field=CharField()),
            urgency=Value(NOT_STATED, output_field=IntegerField()),
            due_at=F("start"),
            requester_name=F("sender_name"),
            **_MISSING,
        )
        .values(*columns, "answer_state", **{**joined, **nobody})
    )
    return named


def bookings_to_come(acting: Acting, now: datetime) -> QuerySet[Booking]:
    """Appointments of today and later that stand."""
    return _received(acting).filter(status=BookingStatus.BOOKED, start__gte=day_begins(now))


def day_begins(now: datetime) -> datetime:
    """Who comes late today is still expected: London's day decides."""
    return london_midnight(in_london(now).date())


def _filtered(acting: Acting, chosen: Filters) -> QuerySet[Booking]:
    if chosen.status or chosen.priority or chosen.flag or chosen.held is not Held.ANYBODY:
        return Booking.objects.none()
    rows = _received(acting)
    if chosen.service_id:
        rows = rows.filter(service__service_id=chosen.service_id)
    if chosen.open is None:
        return rows
    stands: dict[str, Any] = {"status": BookingStatus.BOOKED}
    if chosen.bookings_from is not None:
        stands["start__gte"] = chosen.bookings_from
    return rows.filter(**stands) if chosen.open else rows.exclude(**stands)


def _received(acting: Acting) -> QuerySet[Booking]:
    if not acting.may(VIEW_PERMISSION[Direction.RECEIVED]):
        return Booking.objects.none()
    return Booking.objects.filter(organisation=acting.organisation, direction=Direction.RECEIVED)
