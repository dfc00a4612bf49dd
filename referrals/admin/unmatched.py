"""Replies that answer nothing of ours: shown, so that none is forgotten."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from bars_portal.accounts.audited import AuditedReadOnlyAdmin
from bookings.admin.base import acting_in, sees_everything
from referrals.admin.cases import KNOW_PATIENTS, name_of
from referrals.models import UnmatchedReply


@admin.register(UnmatchedReply)
class UnmatchedReplyAdmin(AuditedReadOnlyAdmin):
    """What is searched for is in the address: ids only, never a name."""

    list_display = ("kind", "service", "sender_name", "safeguarding", "received_at", "handled_at")
    list_filter = ("kind", "service", "safeguarding", ("handled_at", admin.EmptyFieldListFilter))
    list_select_related = ("service",)
    search_fields = ("=id", "=answers_bundle_id", "=journey__correlation_id")
    search_help_text = "A reply id, the id of the message it answers, or a correlation id"
    _facts = (
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
    readonly_fields = (*_facts, "patient_name")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        known = any(request.user.has_perm(each) for each in KNOW_PATIENTS)
        return ("patient_name", *self._facts) if known else self._facts

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("patient")
        if sees_everything(request):
            return rows
        acting = acting_in(request)
        return rows.filter(organisation=acting.organisation) if acting else rows.none()

    @admin.display(description="patient")
    def patient_name(self, reply: UnmatchedReply) -> str:
        return name_of(reply)
