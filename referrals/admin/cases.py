"""Cases in the admin: shown, never changed, because the exchange owns their state."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from bars_portal.accounts.audited import AuditedReadOnlyAdmin
from bookings.admin.base import acting_in, sees_everything
from referrals.models import CaseReply, CaseStatusChange, Referral, ValidationCase
from referrals.models.case import AbstractCase
from referrals.states import Direction

if TYPE_CHECKING:
    _ChangeInline = admin.TabularInline[CaseStatusChange, AbstractCase]
    _ReplyInline = admin.TabularInline[CaseReply, AbstractCase]
else:
    _ChangeInline = _ReplyInline = admin.TabularInline

# Who may know who the patient is: those who see received referrals or patient records.
KNOW_PATIENTS = ("referrals.view_received_referrals", "patients.view_patient")


_VIEW_CASES = ("referrals.view_referral", "referrals.view_validationcase")


class _Shown:
    """Rows that come with the case: they have no permission of their own and nothing to change."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return any(request.user.has_perm(each) for each in _VIEW_CASES)


class _History(_Shown, _ChangeInline):
    model = CaseStatusChange
    fields = ("at", "event", "from_status", "to_status", "version", "actor_label", "note")
    readonly_fields = fields
    ordering = ("at", "id")


class _Replies(_Shown, _ReplyInline):
    """Codes and states; the words that somebody wrote about a patient stay in the message."""

    model = CaseReply
    fields = ("received_at", "kind", "responder_status", "reason_code", "priority", "sender_name")
    readonly_fields = fields
    ordering = ("received_at", "id")


class ReferralHistory(_History):
    fk_name = "referral"


class ReferralReplies(_Replies):
    fk_name = "referral"


class ValidationHistory(_History):
    fk_name = "validation"


class ValidationReplies(_Replies):
    fk_name = "validation"


class _CaseAdmin(AuditedReadOnlyAdmin):
    """What is searched for is in the address: references and ids only, never a name."""

    list_display = (
        "shown_reference",
        "direction",
        "status",
        "service",
        "priority",
        "breach_at",
        "safeguarding",
        "sender_name",
        "created_at",
    )
    list_filter = ("direction", "status", "service", "safeguarding", "created_at")
    list_select_related = ("service",)
    search_fields = ("=reference", "=id", "=remote_id", "=correlation_id")
    search_help_text = "A whole reference, a request id, or a correlation id"
    _facts = (
        "shown_reference",
        "direction",
        "status",
        "service",
        "use_case",
        "priority",
        "occurrence_start",
        "breach_at",
        "authored_on",
        "requester_name",
        "requester_ods_code",
        "flags",
        "safeguarding",
        "scene_unsafe",
        "sender_name",
        "sender_ods_code",
        "version",
        "created_at",
        "updated_at",
    )
    readonly_fields = (*_facts, "patient_name")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The name is there for people who may know it, and not there for others: no mask to see through."""
        known = any(request.user.has_perm(each) for each in KNOW_PATIENTS)
        return ("patient_name", *self._facts) if known else self._facts

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("patient")
        if sees_everything(request):
            return rows
        acting = acting_in(request)
        if acting is None:
            return rows.none()
        own = rows.filter(organisation=acting.organisation)
        # Managers run their services; what clinicians send elsewhere is not their affair.
        sent_too = acting.may("referrals.view_sent_referrals")
        return own if sent_too else own.filter(direction=Direction.RECEIVED)

    @admin.display(description="reference")
    def shown_reference(self, case: AbstractCase) -> str:
        return case.reference or "none given"

    @admin.display(description="patient")
    def patient_name(self, case: AbstractCase) -> str:
        return name_of(case)


def name_of(shown: Any) -> str:
    """FAMILY, Given of whoever a row is about."""
    names = f"{shown.patient.family_name.upper()}, {shown.patient.given_names}".strip(", ")
    return names or "Not stated"


@admin.register(Referral)
class ReferralAdmin(_CaseAdmin):
    inlines = (ReferralHistory, ReferralReplies)


@admin.register(ValidationCase)
class ValidationCaseAdmin(_CaseAdmin):
    inlines = (ValidationHistory, ValidationReplies)
