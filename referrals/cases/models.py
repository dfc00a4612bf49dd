"""Referrals and validation requests in both directions, their history, and what was told about them."""

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KeyTransform
from django.utils.text import capfirst

from bars_portal.accounts.models import Organisation, User
from bars_portal.correspondence.history import HistoryRow, StatusChange
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.json import ResourceDecoder, ResourceEncoder
from bars_portal.exchange.models import InboundMessage
from bars_portal.nhsuk.dates import format_short
from bars_portal.patients.models import Journey, Patient
from bookings.models import Booking
from directory.models import HealthcareService
from referrals.cases.states import (
    CURRENT,
    OPEN,
    OVER,
    UNCLEAR,
    CaseStatus,
    Category,
    ReplyKind,
    ResponseState,
)

_STATUSES = [(status.value, status.label) for status in CaseStatus]
# What a list is filtered, sorted and counted by.
_LISTED_BY = (
    *("status", "priority", "created_at", "id"),
    *("service", "assigned_to", "safeguarding", "scene_unsafe"),
)
_REPORTED_BY = ("status", "breach_at", "answered_at", "service", "sender_ods_code", "reference")


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
    # When somebody first decided: the step says so too, and reports ask a million cases.
    answered_at = models.DateTimeField(null=True)
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
    # in a received case as it arrived: our reply has it (referrals.cases.wire).
    resource = models.JSONField(default=dict, encoder=ResourceEncoder, decoder=ResourceDecoder)
    included = models.JSONField(null=True, encoder=ResourceEncoder, decoder=ResourceDecoder)
    # The sender's own meta.lastUpdated by fullUrl: a later message is compared with these.
    sender_stamps = models.JSONField(default=dict)
    # Sent: what was stated (referrals.parts.content), and what an update on its way will make of it
    # (referrals.sending.updating).
    content = models.JSONField(default=dict)
    pending = models.JSONField(null=True, encoder=ResourceEncoder, decoder=ResourceDecoder)
    # Sent: the ServiceRequest.status that taking it back asks for, and why, in words.
    ending = models.CharField(max_length=20, blank=True)
    end_reason = models.CharField(max_length=300, blank=True)
    # Sent, in plain words, when something was refused or is not known: what the clinician reads.
    explanation = models.CharField(max_length=300, blank=True)
    # The same for programs: bars_portal.correspondence.explanations.ReasonCode.
    explanation_code = models.CharField(max_length=30, blank=True, default="", db_default="")
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
            *(
                # The worklist in the order in which cases breach, and what is counted, from the index alone:
                # a case itself is large.
                models.Index(
                    fields=["organisation", "direction", "breach_at"],
                    include=_LISTED_BY,
                    condition=Q(status__in=statuses),
                    name=f"%(class)s_{name}",
                )
                for name, statuses in (("open", sorted(OPEN)), ("over", sorted(OVER)))
            ),
            models.Index(
                fields=["organisation", "direction"],
                condition=Q(status__in=sorted(UNCLEAR)),
                name="%(class)s_unclear",
            ),
            # A page of what was sent, newest first, wherever it begins; and what reports count.
            models.Index(
                fields=["organisation", "direction", "-created_at", "-id"],
                include=_REPORTED_BY,
                name="%(class)s_by_creation",
            ),
            models.Index(fields=["sender_full_url"], name="%(class)s_sender_url"),
            models.Index(
                fields=["organisation"], condition=Q(pending__isnull=False), name="%(class)s_pending"
            ),
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
        return self.reference or f"{capfirst(self._meta.verbose_name)} of {format_short(self.created_at)}"

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


_ONE_OWNER = models.Q(referral__isnull=True) ^ models.Q(validation__isnull=True)


class OfOneCase(models.Model):
    """A row about one referral or one validation request."""

    referral = models.ForeignKey(Referral, null=True, on_delete=models.PROTECT, related_name="%(class)s_rows")
    validation = models.ForeignKey(
        ValidationCase, null=True, on_delete=models.PROTECT, related_name="%(class)s_rows"
    )

    class Meta:
        abstract = True
        constraints = [models.CheckConstraint(condition=_ONE_OWNER, name="%(class)s_of_one_case")]

    @property
    def case(self) -> Case:
        owner = self.referral or self.validation
        if owner is None:
            raise TypeError("A record belongs to a case.")
        return owner


class CaseRecord(OfOneCase, HistoryRow):
    """The same, and never changed, never deleted."""

    class Meta(OfOneCase.Meta):
        abstract = True


class CaseStatusChange(CaseRecord, StatusChange):
    """One step, and which version of the case it was about."""

    version = models.PositiveIntegerField()
    message = models.ForeignKey(InboundMessage, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta(CaseRecord.Meta):
        ordering = ["at", "id"]


class CaseVersion(CaseRecord):
    """The ServiceRequest as it stood in one version; the message that brought it holds everything else."""

    number = models.PositiveIntegerField()
    # Bundle.id of the message: replies name it.
    bundle_id = models.CharField(max_length=64, blank=True)
    resource = models.JSONField(default=dict, encoder=ResourceEncoder, decoder=ResourceDecoder)
    message = models.ForeignKey(InboundMessage, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta(CaseRecord.Meta):
        ordering = ["number"]
        constraints = [
            *CaseRecord.Meta.constraints,
            models.UniqueConstraint(fields=["referral", "number"], name="referral_version_once"),
            models.UniqueConstraint(fields=["validation", "number"], name="validation_version_once"),
        ]
        indexes = [models.Index(fields=["bundle_id"], name="caseversion_bundle_id")]

    def __str__(self) -> str:
        return f"version {self.number}"


def owned_by(case: Case) -> dict[str, Case]:
    """The keyword that makes a record the case's own."""
    return {"referral" if isinstance(case, Referral) else "validation": case}


class ReplyFacts(models.Model):
    """One servicerequest-response; the stored message is the record, these columns are its index."""

    kind = models.CharField(max_length=20, choices=[(kind.value, kind.label) for kind in ReplyKind])
    bundle_id = models.CharField(max_length=64)
    # MessageHeader.response.identifier.
    answers_bundle_id = models.CharField(max_length=64)
    message = models.ForeignKey(InboundMessage, on_delete=models.PROTECT, related_name="+")
    # The responder's Encounter: status, reason (a rejection's), identifier, and its own stamp.
    responder_status = models.CharField(max_length=20, blank=True)
    reason_code = models.CharField(max_length=20, blank=True)
    reason_text = models.CharField(max_length=500, blank=True)
    responder_reference = models.CharField(max_length=100, blank=True)
    responder_stamp = models.DateTimeField(null=True)
    # Identifier of a third Encounter: the ambulance control's new case.
    cad_id = models.CharField("new ambulance control case", max_length=100, blank=True)
    request_status = models.CharField("ServiceRequest status", max_length=20, blank=True)
    # CarePlan: outcome codes and words [{"system", "code", "display", "text"}], priority, start of the clock,
    # and whether something is still to be done (an active plan).
    outcomes = models.JSONField(default=list)
    priority = models.CharField(max_length=20, blank=True)
    clock_start = models.DateTimeField(null=True)
    action_needed = models.BooleanField(null=True)
    safeguarding = models.BooleanField("safeguarding concern", default=False)
    # Who answered: MessageHeader.source.endpoint, NHSD-End-User-Organisation.
    source_service_id = models.CharField(max_length=20, blank=True)
    sender_ods_code = models.CharField("sender's ODS code", max_length=12, blank=True)
    sender_name = models.CharField("sender", max_length=200, blank=True)
    received_at = models.DateTimeField(db_index=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return ReplyKind(self.kind).label


class CaseReply(CaseRecord, ReplyFacts):
    """A reply to a case that we sent."""

    class Meta(CaseRecord.Meta):
        ordering = ["received_at", "id"]
        indexes = [models.Index(fields=["bundle_id"], name="casereply_bundle_id")]


class UnmatchedReply(ReplyFacts):
    """A referral response that answers nothing of ours: maybe a safeguarding warning, so it is shown."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="unmatched_replies")
    service = models.ForeignKey(HealthcareService, on_delete=models.PROTECT, related_name="unmatched_replies")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="unmatched_replies")
    journey = models.ForeignKey(Journey, on_delete=models.PROTECT, related_name="unmatched_replies")
    # Null until somebody has dealt with it.
    handled_at = models.DateTimeField(null=True)
    handled_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-received_at"]
        verbose_name_plural = "unmatched replies"
        indexes = [
            models.Index(
                fields=["organisation", "received_at"],
                condition=models.Q(handled_at__isnull=True),
                name="unmatchedreply_open",
            )
        ]


class CaseAnswer(OfOneCase):
    """One servicerequest-response of ours: what was said, and whether the requester has heard it.

    Only its delivery ever changes; every attempt is a row of the exchange.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20, choices=[(kind.value, kind.label) for kind in ReplyKind])
    # referrals.responding.content, by kind.
    content = models.JSONField(default=dict)
    # Bundle.id of the newest message, "" when none could be sent, and of the request that it answers.
    bundle_id = models.CharField(max_length=64, blank=True)
    answers_bundle_id = models.CharField(max_length=64, blank=True)
    # MessageHeader.reason: an answer before this one was sent.
    is_update = models.BooleanField(default=False)
    state = models.CharField(max_length=12, choices=[(state.value, state.label) for state in ResponseState])
    # In plain words, when it was refused or is not known.
    explanation = models.CharField(max_length=300, blank=True)
    author = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    author_label = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta(OfOneCase.Meta):
        ordering = ["created_at", "id"]
        indexes = [
            models.Index(
                fields=["state"],
                condition=~models.Q(state=ResponseState.DELIVERED),
                name="caseanswer_open",
            )
        ]

    def __str__(self) -> str:
        return ReplyKind(self.kind).label


class CaseNote(CaseRecord):
    """A colleague's note: it stays here, is told to nobody outside, and is never changed."""

    text = models.TextField()
    author = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    author_label = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta(CaseRecord.Meta):
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"note of {self.author_label}"


class BookingLink(models.Model):
    """Both were received by the same organisation. Whether it is live is told by both, as for any link."""

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="booking_links")
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="referral_links")
    made_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    made_by_label = models.CharField(max_length=200)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["referral", "booking"], name="booking_link_once")]

    def __str__(self) -> str:
        return f"{self.booking_id} goes with {self.referral_id}"
