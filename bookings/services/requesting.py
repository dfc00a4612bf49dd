"""Asking a service for a booking: everything that belongs to it is written in one transaction."""

from datetime import datetime
from uuid import uuid4

from django.db import transaction

from bars_portal.accounts.acting import Acting, name_of
from bars_portal.accounts.models import Organisation
from bars_portal.correspondence.entries import stored
from bars_portal.correspondence.envelope import parties_of
from bars_portal.correspondence.states import Direction
from bars_portal.exchange import outbox
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.models import Journey, Patient
from bars_portal.patients.selectors import details_of
from bars_portal.patients.services import create_patient, open_journey
from bookings import mapping, policies, ports
from bookings.models import Booking, BookingDraft, Rebooking
from bookings.services.status import start_history
from bookings.states import BookingEvent, BookingStatus
from directory.remote import SenderIdentity, sender_identity

MESSAGE = "booking-new"


@transaction.atomic
def request_booking(
    *,
    draft: BookingDraft,
    details: PatientDetails,
    acting: Acting,
    now: datetime,
    journey: Journey | None = None,
) -> Booking:
    """Book what the draft holds, for a new patient, or for the patient of the booking it replaces.

    `journey`: the case that it belongs to, when that began with a referral of the same organisation.
    A second press returns the first booking: the draft's row is locked, and gone once its booking is made.
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
    policies.check_can_use_draft(acting, current, now)
    patient = _patient(current, details, acting.organisation, now, journey or current.journey)
    return book_draft(draft=current, patient=patient, sender=sender_identity(acting), now=now)


def book_draft(*, draft: BookingDraft, patient: Patient, sender: SenderIdentity, now: datetime) -> Booking:
    """The booking, its history and its message, in the caller's transaction. Uses up the draft."""
    booking = _insert(draft, patient, now)
    start_history(
        booking=booking, event=BookingEvent.REQUEST, actor=sender.actor, now=now, note=_approval(booking)
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
        Rebooking.objects.filter(cancelled=draft.replaces).update(booked=booking, draft=None)
    draft.delete()
    return booking


def _approval(booking: Booking) -> str:
    approver = booking.approved_by
    if approver is None:
        return ""
    return f"Outside the time frame, approved by {name_of(approver)}: {booking.approval_reason}"


def _patient(
    draft: BookingDraft,
    details: PatientDetails,
    organisation: Organisation,
    now: datetime,
    begun: Journey | None,
) -> Patient:
    """Who is booked: the journey of a replaced booking goes on, else a case begins."""
    replaced = draft.replaces
    if replaced is not None and details == details_of(replaced.patient):
        return replaced.patient
    if begun is not None and begun.organisation_id != organisation.pk:
        raise policies.PolicyRefused("This case belongs to another organisation.")
    known = replaced.journey if replaced else begun
    journey = known or open_journey(organisation=organisation, now=now)
    return create_patient(details=details, organisation=organisation, journey=journey, now=now)


def _insert(draft: BookingDraft, patient: Patient, now: datetime) -> Booking:
    booking_id = uuid4()
    use_case = UseCase(draft.use_case)
    appointment, included = mapping.booking_entries(
        booking_id=booking_id,
        use_case=use_case,
        start=draft.start,
        end=draft.end,
        slot_resources=draft.slot_resources,
        patient=details_of(patient),
        parties=parties_of(draft.service, patient.organisation, now),
        based_on=ports.basis.provider(patient.journey, draft.service),
        now=now,
    )
    return Booking.objects.create(
        id=booking_id,
        draft_id=draft.pk,
        direction=Direction.SENT,
        status=BookingStatus.REQUESTED,
        organisation=patient.organisation,
        service=draft.service,
        patient=patient,
        journey=patient.journey,
        use_case=use_case.value,
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
