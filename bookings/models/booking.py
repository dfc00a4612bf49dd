"""Bookings in both directions, their immutable history, and work in progress."""

import uuid

from django.db import models

from bars_portal.accounts.models import Organisation, User
from bars_portal.correspondence.history import StatusChange
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.json import ResourceDecoder, ResourceEncoder
from bars_portal.exchange.models import InboundMessage
from bars_portal.nhsuk.dates import format_short
from bars_portal.patients.models import Journey, Patient
from bookings.models.diary import Slot
from bookings.states import BookingStatus
from directory.models import HealthcareService

_STATUSES = [(status.value, status.label) for status in BookingStatus]
# What may wait for a person of who booked: nobody has told the patient yet, or it is not as it should be.
ASKS_FOR_ATTENTION = models.Q(direction=Direction.SENT) & (
    models.Q(patient_told_at__isnull=True)
    | models.Q(status__in=[BookingStatus.UNKNOWN, BookingStatus.CANCEL_UNKNOWN, BookingStatus.NOT_AS_ASKED])
)
_RECEIVED_AND_BOOKED = models.Q(direction=Direction.RECEIVED, status=BookingStatus.BOOKED)


class BookingDraft(models.Model):
    """A booking being prepared: kept here so that nothing typed is lost and no URL names a patient."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    service = models.ForeignKey(HealthcareService, on_delete=models.CASCADE, related_name="+")
    use_case = models.CharField(max_length=20)
    # The chosen Slot and what it refers to, as the receiver returned them: [[fullUrl, resource], ...].
    slot_resources = models.JSONField(default=list, encoder=ResourceEncoder, decoder=ResourceDecoder)
    slot_id = models.CharField(max_length=64)
    start = models.DateTimeField()
    end = models.DateTimeField()
    # Exactly what was typed into the patient form, valid or not yet.
    patient_data = models.JSONField(default=dict)
    # The case that it is for, when that began with a request of ours.
    journey = models.ForeignKey(Journey, null=True, on_delete=models.CASCADE, related_name="+")
    # The chosen time is outside the assessment's time frame: the clinician who said yes, and why.
    approved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    approval_reason = models.CharField(max_length=200, blank=True)
    # Of a rebooking: whether the patient was assessed again (bars_portal.correspondence.reassessment).
    reassessed = models.CharField(max_length=12, blank=True, default="", db_default="")
    # The booking that this one replaces, when it is a rebooking.
    replaces = models.ForeignKey("Booking", null=True, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.id)


class Booking(models.Model):
    """One booking of one organisation (FHIR Appointment), sent or received."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    direction = models.CharField(max_length=8, choices=[(d.value, d.value.capitalize()) for d in Direction])
    status = models.CharField(max_length=20, choices=_STATUSES)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="bookings")
    service = models.ForeignKey(HealthcareService, on_delete=models.PROTECT, related_name="bookings")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="bookings")
    journey = models.ForeignKey(Journey, on_delete=models.PROTECT, related_name="bookings")
    use_case = models.CharField(max_length=20)
    description = models.CharField(max_length=500, blank=True)
    start = models.DateTimeField()
    end = models.DateTimeField()
    # Received: our own slot. Sent: the receiver's Slot.id.
    slot = models.ForeignKey(Slot, null=True, on_delete=models.PROTECT, related_name="bookings")
    remote_slot_id = models.CharField(max_length=64, blank=True)
    # Sent: the receiver's Appointment.id, once known.
    remote_id = models.CharField("receiver's appointment id", max_length=64, blank=True)
    # Human-readable; received: ours, sent: the receiver's.
    reference = models.CharField(max_length=64, blank=True)
    # Received: who booked (MessageHeader.source.endpoint, NHSD-End-User-Organisation), and their fullUrl.
    source_service_id = models.CharField(max_length=20, blank=True)
    sender_ods_code = models.CharField("sender's ODS code", max_length=12, blank=True)
    sender_name = models.CharField("sender", max_length=200, blank=True)
    sender_full_url = models.CharField(max_length=200, blank=True)
    # The Appointment as it now stands on the wire, and what it came with: [[fullUrl, resource], ...].
    resource = models.JSONField(default=dict, encoder=ResourceEncoder, decoder=ResourceDecoder)
    included = models.JSONField(default=list, encoder=ResourceEncoder, decoder=ResourceDecoder)
    version = models.PositiveIntegerField(default=1)
    message = models.ForeignKey(InboundMessage, null=True, on_delete=models.PROTECT, related_name="+")
    # Sent: the draft it was made from: a second press of the button finds the first booking.
    draft_id = models.UUIDField(null=True, unique=True)
    # In plain words, when it was refused or is not known: what the clinician reads.
    explanation = models.CharField(max_length=300, blank=True)
    # The same for programs: bars_portal.correspondence.explanations.ReasonCode.
    explanation_code = models.CharField(max_length=30, blank=True, default="", db_default="")
    # Sent, not as asked: what the service says otherwise, in words, [{"what", "asked", "said"}, ...].
    differences = models.JSONField(null=True)
    cancel_reason = models.CharField(max_length=300, blank=True)
    # Sent, outside the assessment's time frame: the clinician who said yes to it, and why.
    approved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    approval_reason = models.CharField(max_length=200, blank=True)
    patient_told_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_index=True)
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["slot"], condition=_RECEIVED_AND_BOOKED, name="booking_slot_once"
            ),
            # What a patient reads out names one booking; references of other receivers are their own affair.
            models.UniqueConstraint(
                fields=["organisation", "reference"],
                condition=models.Q(direction=Direction.RECEIVED),
                name="booking_reference_once",
            ),
        ]
        indexes = [
            # Listed, counted and reported from the index alone: a booking itself is large.
            models.Index(
                fields=["organisation", "direction", "start"],
                include=("status", "created_at", "id", "service", "slot", "sender_ods_code"),
                name="booking_by_start",
            ),
            # The API's list, page by page; and what reports count.
            models.Index(
                fields=["organisation", "direction", "-created_at", "-id"],
                include=("status", "service", "sender_ods_code", "reference"),
                name="booking_by_creation",
            ),
            models.Index(
                fields=["organisation", "status"], name="booking_attention", condition=ASKS_FOR_ATTENTION
            ),
            models.Index(fields=["service", "direction", "start"], name="booking_diary"),
            models.Index(fields=["sender_full_url"], name="booking_sender_full_url"),
        ]

    def __str__(self) -> str:
        return self.reference or f"Booking for {format_short(self.start)}"

    @property
    def correlation_id(self) -> uuid.UUID:
        """Of the journey: every message about the booking carries it."""
        return self.journey.correlation_id


class BookingStatusChange(StatusChange):
    """One immutable step in a booking's history, with the Appointment as it stood after it."""

    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="changes")
    resource = models.JSONField(default=dict, encoder=ResourceEncoder, decoder=ResourceDecoder)


class Rebooking(models.Model):
    """Cancel first, then book anew: the plan is written before the first message, so no half is forgotten."""

    cancelled = models.OneToOneField(Booking, on_delete=models.PROTECT, related_name="rebooking")
    draft = models.OneToOneField(BookingDraft, null=True, on_delete=models.SET_NULL, related_name="rebooking")
    booked = models.OneToOneField(Booking, null=True, on_delete=models.PROTECT, related_name="rebooked_from")
    started_at = models.DateTimeField()
    # When somebody said that no new appointment is wanted any more; who, says the history of the old one.
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"rebooking of {self.cancelled_id}"
