"""What the other side answered, to a case of ours or to nothing that we know."""

import uuid

from django.db import models

from bars_portal.accounts.models import Organisation, User
from bars_portal.exchange.models import InboundMessage
from bars_portal.patients.models import Journey, Patient
from directory.models import HealthcareService
from referrals.models.history import CaseRecord
from referrals.states import ReplyKind


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
