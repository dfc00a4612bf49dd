"""Replies that answer nothing of ours: shown, so that none is forgotten."""

from django.contrib import admin

from bars_portal.correspondence.admin import PatientRecordAdmin
from referrals.admin.cases import KNOW_PATIENTS
from referrals.models import UnmatchedReply


@admin.register(UnmatchedReply)
class UnmatchedReplyAdmin(PatientRecordAdmin):
    """What is searched for is in the address: ids only, never a name."""

    list_display = ("kind", "service", "sender_name", "safeguarding", "received_at", "handled_at")
    list_filter = ("kind", "service", "safeguarding", ("handled_at", admin.EmptyFieldListFilter))
    list_select_related = ("service",)
    search_fields = ("=id", "=answers_bundle_id", "=journey__correlation_id")
    search_help_text = "A reply id, the id of the message it answers, or a correlation id"
    knows_patients = KNOW_PATIENTS
    facts = (
        "kind",
        "service",
        "sender_name",
        "sender_ods_code",
        "source_service_id",
        "answers_bundle_id",
        "request_status",
        "responder_status",
        "reason_code",
        "priority",
        "safeguarding",
        "received_at",
        "handled_at",
        "handled_by",
    )
