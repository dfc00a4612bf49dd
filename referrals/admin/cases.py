"""Cases in the admin: shown, never changed, because the exchange owns their state."""

from typing import TYPE_CHECKING

from django.contrib import admin

from bars_portal.correspondence.admin import PatientRecordAdmin, ShownRows
from referrals.models import CaseAnswer, CaseReply, CaseStatusChange, Referral, ValidationCase
from referrals.models.case import AbstractCase

if TYPE_CHECKING:
    _ChangeInline = admin.TabularInline[CaseStatusChange, AbstractCase]
    _ReplyInline = admin.TabularInline[CaseReply, AbstractCase]
    _AnswerInline = admin.TabularInline[CaseAnswer, AbstractCase]
else:
    _ChangeInline = _ReplyInline = _AnswerInline = admin.TabularInline

# Who may know who the patient is: those who see received referrals or patient records.
KNOW_PATIENTS = ("referrals.view_received_referrals", "patients.view_patient")
_VIEW_CASES = ("referrals.view_referral", "referrals.view_validationcase")


class _History(ShownRows, _ChangeInline):
    shown_with = _VIEW_CASES
    model = CaseStatusChange
    fields = ("at", "event", "from_status", "to_status", "version", "actor_label", "note")
    readonly_fields = fields
    ordering = ("at", "id")


class _Replies(ShownRows, _ReplyInline):
    """Codes and states; the words that somebody wrote about a patient stay in the message."""

    shown_with = _VIEW_CASES

    model = CaseReply
    fields = ("received_at", "kind", "responder_status", "reason_code", "priority", "sender_name")
    readonly_fields = fields
    ordering = ("received_at", "id")


class _Answers(ShownRows, _AnswerInline):
    """What we told the requester, and whether it arrived."""

    shown_with = _VIEW_CASES

    model = CaseAnswer
    fields = ("created_at", "kind", "state", "author_label", "settled_at")
    readonly_fields = fields
    ordering = ("created_at", "id")


class ReferralHistory(_History):
    fk_name = "referral"


class ReferralReplies(_Replies):
    fk_name = "referral"


class ReferralAnswers(_Answers):
    fk_name = "referral"


class ValidationHistory(_History):
    fk_name = "validation"


class ValidationReplies(_Replies):
    fk_name = "validation"


class ValidationAnswers(_Answers):
    fk_name = "validation"


class _CaseAdmin(PatientRecordAdmin):
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
    knows_patients = KNOW_PATIENTS
    sees_sent = "referrals.view_sent_referrals"
    facts = (
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


@admin.register(Referral)
class ReferralAdmin(_CaseAdmin):
    inlines = (ReferralHistory, ReferralReplies, ReferralAnswers)


@admin.register(ValidationCase)
class ValidationCaseAdmin(_CaseAdmin):
    inlines = (ValidationHistory, ValidationReplies, ValidationAnswers)
