"""From a booking in the making to the request: what was chosen and typed, then all of it sent at once."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import QuerySet

from bars_portal.accounts.acting import Acting, name_of
from bars_portal.accounts.models import User
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.correspondence.entries import stored
from bars_portal.correspondence.envelope import parties_of
from bars_portal.correspondence.reassessment import recorded_words
from bars_portal.correspondence.states import Direction
from bars_portal.exchange import outbox
from bars_portal.exchange.gateway.senders import require_sender
from bars_portal.nhsuk.dates import in_london
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.models import Journey, Patient
from bars_portal.patients.selectors import details_of
from bars_portal.patients.services import create_patient, open_journey
from bars_portal.patients.typed import is_as_known
from bookings import policies, ports
from bookings.mapping.offers import OfferedSlot
from bookings.mapping.sent import booking_entries
from bookings.models import Booking, BookingDraft, Rebooking
from bookings.services.history import start_history
from bookings.states import BookingEvent, BookingStatus
from directory.models import HealthcareService
from directory.remote import SenderIdentity, sender_identity

MESSAGE = "booking-new"
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
    """Its author gives up; what waits for a cancellation stays, or the patient would be left with nothing."""
    _not_waiting(BookingDraft.objects.filter(pk=draft.pk)).delete()


def purge_drafts(*, now: datetime) -> int:
    """Delete what nobody touched for a day, but not what waits for a cancellation. Returns how many."""
    _, deleted = _not_waiting(BookingDraft.objects.filter(updated_at__lt=now - KEPT_FOR)).delete()
    return deleted.get(BookingDraft._meta.label, 0)


def _not_waiting(drafts: QuerySet[BookingDraft]) -> QuerySet[BookingDraft]:
    return drafts.exclude(rebooking__cancelled__status__in=_CANCEL_IS_OPEN)


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


@transaction.atomic
def request_booking(
    *, draft: BookingDraft, details: PatientDetails, acting: Acting, now: datetime, reassessed: str = ""
) -> Booking:
    """Book what the draft holds, for a new patient, or for the patient of the booking it replaces.

    A second press returns the first booking: the draft's row is locked, and gone once its booking is made.
    `reassessed`: of a rebooking, a Reassessed.
    Raises PolicyRefused.
    """
    if (made := Booking.objects.filter(draft_id=draft.pk).first()) is not None:
        return made
    locked = BookingDraft.objects.select_for_update(of=("self",)).filter(pk=draft.pk)
    current = locked.select_related("service__provider", "journey").first()
    if current is None:
        return Booking.objects.get(draft_id=draft.pk)
    if current.replaces_id is not None:
        # Two new times for one old appointment: the second waits here, and then finds the first.
        current.replaces = Booking.objects.select_for_update().get(pk=current.replaces_id)
        # And one that waits for its referral may go out at this moment.
        ports.renewal_progress.provider(current.replaces, True)
    policies.check_can_use_draft(acting, current, now)
    require_sender(acting.organisation.ods_code)
    patient = _patient(current, details, acting, now)
    current.reassessed = reassessed or current.reassessed
    return book_draft(draft=current, patient=patient, sender=sender_identity(acting), now=now)


@transaction.atomic
def book_at_once(
    *,
    acting: Acting,
    service: HealthcareService,
    use_case: str,
    chosen: OfferedSlot,
    details: PatientDetails,
    approval_reason: str,
    now: datetime,
    journey: Journey | None = None,
) -> Booking:
    """All steps of the pages in one, for who has everything together. Raises PolicyRefused.

    `approval_reason`: why the time is right outside the time frame of the assessment; "" when it is inside.
    """
    draft = open_draft(
        acting=acting, service=service, use_case=use_case, chosen=chosen, journey=journey, now=now
    )
    approve_if_needed(draft=draft, reason=approval_reason, acting=acting, now=now)
    return request_booking(draft=draft, details=details, acting=acting, now=now)


def approve_if_needed(*, draft: BookingDraft, reason: str, acting: Acting, now: datetime) -> None:
    """By whoever acts, who must be a clinician. Raises PolicyRefused."""
    if policies.lacks_approval(draft) and reason:
        approve_time(draft=draft, approver=acting.user, reason=reason, acting=acting, now=now)


def book_draft(*, draft: BookingDraft, patient: Patient, sender: SenderIdentity, now: datetime) -> Booking:
    """The booking, its history and its message, in the caller's transaction. Uses up the draft."""
    booking = _new_booking(draft, patient, now)
    start_history(
        booking=booking,
        event=BookingEvent.REQUEST,
        actor=sender.actor,
        now=now,
        note=_note(draft, booking, sender.actor),
    )
    outbox.enqueue(
        key=MESSAGE,
        subject=booking,
        organisation=sender.organisation,
        practitioner=sender.practitioner,
        actor=sender.actor,
        now=now,
    )
    if draft.replaces is not None:
        # Also when the first attempt of the second half failed: the newest booking is the one that counts.
        Rebooking.objects.filter(cancelled=draft.replaces).update(booked=booking, draft=None, ended_at=None)
    draft.delete()
    return booking


def _note(draft: BookingDraft, booking: Booking, actor: Actor) -> str:
    return ". ".join(filter(None, (_approval(booking, actor), recorded_words(draft.reassessed))))


def _approval(booking: Booking, actor: Actor) -> str:
    approver = booking.approved_by
    if approver is None:
        return ""
    # An application's account approves nothing: whom it acts for does, and the actor's label says who.
    name = actor.label if approver.pk == actor.user_id else name_of(approver)
    return f"Outside the time frame, approved by {name}: {booking.approval_reason}"


def _patient(draft: BookingDraft, details: PatientDetails, acting: Acting, now: datetime) -> Patient:
    """Who is booked: the journey of a replaced booking goes on, else the draft's, else a case begins."""
    organisation, replaced, begun = acting.organisation, draft.replaces, draft.journey
    if replaced is not None and is_as_known(
        details_of(replaced.patient), details, today=in_london(now).date()
    ):
        return replaced.patient
    if begun is not None and begun.organisation_id != organisation.pk:
        raise PolicyRefused("This case belongs to another organisation.")
    known = replaced.journey if replaced else begun
    journey = known or open_journey(organisation=organisation, now=now)
    return create_patient(
        details=details, organisation=organisation, journey=journey, now=now, declared_by=acting.actor
    )


def _new_booking(draft: BookingDraft, patient: Patient, now: datetime) -> Booking:
    booking_id = uuid4()
    appointment, included = booking_entries(
        draft,
        booking_id=booking_id,
        patient=details_of(patient),
        parties=parties_of(draft.service, patient.organisation, now),
        based_on=ports.basis.provider(patient.journey, draft.service),
        now=now,
    )
    return Booking(
        id=booking_id,
        draft_id=draft.pk,
        direction=Direction.SENT,
        status=BookingStatus.REQUESTED,
        organisation=patient.organisation,
        service=draft.service,
        patient=patient,
        journey=patient.journey,
        use_case=draft.use_case,
        description=appointment["description"],
        start=draft.start,
        end=draft.end,
        remote_slot_id=draft.slot_id,
        approved_by=draft.approved_by,
        approval_reason=draft.approval_reason,
        resource=appointment,
        included=stored(included),
        created_at=now,
        updated_at=now,
    )
