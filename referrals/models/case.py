"""Referrals and validation requests in both directions (FHIR ServiceRequest)."""

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KeyTransform

from bars_portal.accounts.models import Organisation, User
from bars_portal.exchange.models import InboundMessage
from bars_portal.exchange.models.fields import ResourceDecoder, ResourceEncoder
from bars_portal.patients.models import Journey, Patient
from directory.models import HealthcareService
from referrals.states import CURRENT, CaseStatus, Category, Direction

_STATUSES = [(status.value, status.label) for status in CaseStatus]


class AbstractCase(models.Model):
    """One case of one organisation. The stored message is the record, these columns are its index."""

    category: ClassVar[Category]

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    direction = models.CharField(max_length=8, choices=[(d.value, d.value.capitalize()) for d in Direction])
    status = models.CharField(max_length=20, choices=_STATUSES)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="%(class)ss")
    service = models.ForeignKey(HealthcareService, on_delete=models.PROTECT, related_name="%(class)ss")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="%(class)ss")
    journey = models.ForeignKey(Journey, on_delete=models.PROTECT, related_name="%(class)ss")
    # X-Correlation-ID of the message that brought it; its journey may have begun in another conversation.
    correlation_id = models.UUIDField()
    use_case = models.CharField(max_length=20)
    # A code of arp-priority-codes, else ServiceRequest.priority.
    priority = models.CharField(max_length=20, blank=True)
    # ServiceRequest.occurrencePeriod: from when, and by when before it breaches.
    occurrence_start = models.DateTimeField(null=True)
    breach_at = models.DateTimeField(null=True)
    authored_on = models.DateTimeField(null=True)
    # Identifier of the requester's Encounter.
    case_number = models.CharField("requester's case number", max_length=100, blank=True)
    # MessageHeader.sender.
    requester_ods_code = models.CharField("requester's ODS code", max_length=12, blank=True)
    requester_name = models.CharField("requester", max_length=200, blank=True)
    # Categories of active flags (flag-categories-bars), and the two that must strike the eye.
    flags = ArrayField(models.CharField(max_length=20), default=list)
    safeguarding = models.BooleanField("safeguarding concern", default=False)
    scene_unsafe = models.BooleanField("scene not known to be safe", default=False)
    # ServiceRequest.supportingInfo "Appointment/<id>": booked first, then referred.
    booking_ids = ArrayField(models.UUIDField(), default=list)
    # Human-readable; received: ours, sent: the receiver's.
    reference = models.CharField(max_length=64, blank=True)
    # Sent: the receiver's ServiceRequest.id, once known.
    remote_id = models.CharField("receiver's request id", max_length=64, blank=True)
    # Received: who sent it (MessageHeader.source.endpoint, NHSD-End-User-Organisation), and their fullUrl.
    source_service_id = models.CharField(max_length=20, blank=True)
    sender_ods_code = models.CharField("sender's ODS code", max_length=12, blank=True)
    sender_name = models.CharField("sender", max_length=200, blank=True)
    sender_full_url = models.CharField(max_length=200, blank=True)
    # Received: the colleague who works on it.
    assigned_to = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    # The ServiceRequest as it now stands on the wire, and what it came with: [[fullUrl, resource], ...]. Null
    # in a received case as it arrived: our reply has it (referrals.included).
    resource = models.JSONField(default=dict, encoder=ResourceEncoder, decoder=ResourceDecoder)
    included = models.JSONField(null=True, encoder=ResourceEncoder, decoder=ResourceDecoder)
    # The sender's own meta.lastUpdated by fullUrl: a later message is compared with these.
    sender_stamps = models.JSONField(default=dict)
    # Sent: what was stated (referrals.content), and what an update on its way will make of it
    # (referrals.updates).
    content = models.JSONField(default=dict)
    pending = models.JSONField(null=True, encoder=ResourceEncoder, decoder=ResourceDecoder)
    # Sent: the ServiceRequest.status that taking it back asks for, and why, in words.
    ending = models.CharField(max_length=20, blank=True)
    end_reason = models.CharField(max_length=300, blank=True)
    # Sent, in plain words, when something was refused or is not known: what the clinician reads.
    explanation = models.CharField(max_length=300, blank=True)
    # Sent: the draft it was made from: a second press of the button finds the first case.
    draft_id = models.UUIDField(null=True, unique=True)
    # Sent: the received case, of either kind, that it carries on.
    onward_from = models.UUIDField(null=True)
    version = models.PositiveIntegerField(default=1)
    message = models.ForeignKey(InboundMessage, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_index=True)
    updated_at = models.DateTimeField()

    class Meta:
        abstract = True
        ordering = ["-created_at"]
        constraints = [
            # What a caller reads out names one case; references of other receivers are their own affair.
            models.UniqueConstraint(
                fields=["organisation", "reference"],
                condition=Q(direction=Direction.RECEIVED),
                name="%(class)s_reference_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organisation", "direction", "status", "breach_at"], name="%(class)s_worklist"
            ),
            models.Index(fields=["sender_full_url"], name="%(class)s_sender_url"),
            models.Index(
                fields=["onward_from"],
                condition=Q(onward_from__isnull=False),
                name="%(class)s_onward",
            ),
            # GET /ServiceRequest by an identifier: our reference, their case number, or the request's own.
            models.Index(fields=["reference"], condition=~Q(reference=""), name="%(class)s_reference"),
            models.Index(fields=["case_number"], condition=~Q(case_number=""), name="%(class)s_number"),
            GinIndex(
                KeyTransform("identifier", "resource"),
                condition=Q(resource__has_key="identifier"),
                name="%(class)s_identifier",
            ),
        ]

    def __str__(self) -> str:
        return self.reference or str(self.id)

    @property
    def is_current(self) -> bool:
        return self.status in CURRENT

    @property
    def has_update_pending(self) -> bool:
        return self.pending is not None


class Referral(AbstractCase):
    """The patient is handed over to another service."""

    category = Category.REFERRAL


class ValidationCase(AbstractCase):
    """Another service is asked how urgent a case is; `breach_at` is the time to answer by."""

    category = Category.VALIDATION


Case = Referral | ValidationCase
MODELS: dict[Category, type[Referral] | type[ValidationCase]] = {
    Category.REFERRAL: Referral,
    Category.VALIDATION: ValidationCase,
}
