"""A booking in the making: what was chosen and typed so far, kept on the server."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import User
from bars_portal.audit.services import record
from bars_portal.patients.models import Journey
from bookings import policies
from bookings.models import Booking, BookingDraft
from bookings.offers import OfferedSlot
from bookings.states import BookingStatus
from directory.models import HealthcareService

KEPT_FOR = timedelta(days=1)
_CANCEL_IS_OPEN = (BookingStatus.CANCELLING, BookingStatus.CANCEL_UNKNOWN)


def open_draft(
    *,
    acting: Acting,
    service: HealthcareService,
    use_case: str,
    chosen: OfferedSlot,
    now: datetime,
    replaces: Booking | None = None,
    journey: Journey | None = None,
) -> BookingDraft:
    """`use_case` is a code of usecases-categories-bars; `journey` the case that it is for, of the same
    organisation. Raises PolicyRefused.
    """
    policies.check_can_book(acting, service)
    if replaces is not None:
        policies.check_can_rebook(acting, replaces, now)
    return BookingDraft.objects.create(
        user=acting.user,
        organisation=acting.organisation,
        service=service,
        use_case=use_case,
        replaces=replaces,
        journey=journey,
        created_at=now,
        updated_at=now,
        **_slot_fields(chosen),
    )


def save_draft_patient(
    *, draft: BookingDraft, patient_data: Mapping[str, Any], now: datetime
) -> BookingDraft:
    """Keep exactly what was typed, valid or not yet."""
    return _save(draft, {"patient_data": dict(patient_data)}, now)


def change_draft_slot(*, draft: BookingDraft, chosen: OfferedSlot, now: datetime) -> BookingDraft:
    """Another time of the same service; everything typed stays, but what was approved was the old time."""
    return _save(draft, {**_slot_fields(chosen), "approved_by": None, "approval_reason": ""}, now)


@transaction.atomic
def approve_time(
    *, draft: BookingDraft, approver: User, reason: str, acting: Acting, now: datetime
) -> BookingDraft:
    """The chosen time although it is outside the time frame. Raises PolicyRefused."""
    policies.check_can_approve(acting, draft, approver)
    record(
        actor=acting.actor,
        action="bookings.approve_time",
        subject=draft,
        detail={"approver": approver.pk},
        now=now,
    )
    return _save(draft, {"approved_by": approver, "approval_reason": reason}, now)


def discard_draft(*, draft: BookingDraft) -> None:
    """Its author gives up."""
    BookingDraft.objects.filter(pk=draft.pk).delete()


def purge_drafts(*, now: datetime) -> int:
    """Delete what nobody touched for a day, but not what waits for a cancellation. Returns how many."""
    old = BookingDraft.objects.filter(updated_at__lt=now - KEPT_FOR)
    old = old.exclude(rebooking__cancelled__status__in=_CANCEL_IS_OPEN)
    _, deleted = old.delete()
    return deleted.get(BookingDraft._meta.label, 0)


def _slot_fields(chosen: OfferedSlot) -> dict[str, Any]:
    return {
        "slot_id": chosen.id,
        "slot_resources": chosen.resources,
        "start": chosen.start,
        "end": chosen.end,
    }


def _save(draft: BookingDraft, values: dict[str, Any], now: datetime) -> BookingDraft:
    for name, value in (values | {"updated_at": now}).items():
        setattr(draft, name, value)
    draft.save(update_fields=[*values, "updated_at"])
    return draft
