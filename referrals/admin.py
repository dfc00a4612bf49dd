"""Staff pages: cases and stray responses are shown, never changed; code lists and breach rules are set up."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import ForeignKey, Q
from django.http import HttpRequest
from django.utils import timezone

from bars_portal.accounts.acting import actor_of
from bars_portal.accounts.admin import JudgedAgain
from bars_portal.audit.staff_pages import StaffAdmin, acts_for, administers_everything
from bars_portal.correspondence.admin import (
    PatientRecordAdmin,
    ShownRows,
    own_services,
)
from referrals.cases import settings
from referrals.cases.models import (
    AbstractCase,
    CaseAnswer,
    CaseReply,
    CaseStatusChange,
    Referral,
    UnmatchedReply,
    ValidationCase,
)
from referrals.cases.settings import BreachRule, ListedCode

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


class _Responses(ShownRows, _AnswerInline):
    """What we told the requester, and whether it arrived."""

    shown_with = _VIEW_CASES

    model = CaseAnswer
    fields = ("created_at", "kind", "state", "author_label", "settled_at")
    readonly_fields = fields
    ordering = ("created_at", "id")


def _inlines(owner: str) -> list[Any]:
    """Of a referral, or of a validation request: by its own foreign key."""
    kinds = (_History, _Replies, _Responses)
    return [type(f"{each.__name__}Of{owner.title()}", (each,), {"fk_name": owner}) for each in kinds]


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
    sortable_by = tuple(name for name in list_display if name != "shown_reference")
    list_filter = (
        *("direction", "status", ("service", admin.RelatedOnlyFieldListFilter), "safeguarding"),
        "created_at",
    )
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
    inlines = _inlines("referral")


@admin.register(ValidationCase)
class ValidationCaseAdmin(_CaseAdmin):
    inlines = _inlines("validation")


@admin.register(UnmatchedReply)
class UnmatchedReplyAdmin(PatientRecordAdmin):
    """What is searched for is in the address: ids only, never a name."""

    list_display = ("kind", "service", "sender_name", "safeguarding", "received_at", "handled_at")
    sortable_by = list_display
    list_filter = (
        *("kind", ("service", admin.RelatedOnlyFieldListFilter), "safeguarding"),
        ("handled_at", admin.EmptyFieldListFilter),
    )
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


KEEP_SHARED = "referrals.keep_shared_settings"


class _SettingAdmin(JudgedAgain, StaffAdmin):
    """One at a time, so that each change has its audit event."""

    actions = None

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        settings.save_setting(row=obj, actor=actor_of(request), now=timezone.now())

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        settings.remove_setting(row=obj, actor=actor_of(request), now=timezone.now())


@admin.register(ListedCode)
class ListedCodeAdmin(_SettingAdmin):
    """Many at once: `manage.py import_codes`. All organisations offer them, so none of them changes them."""

    owner = None
    whose = "of the installation"
    list_display = ("display", "code", "list_name", "system", "offered")
    sortable_by = list_display
    list_filter = ("list_name", "offered", "system")
    search_fields = ("=code", "display")


@admin.register(BreachRule)
class BreachRuleAdmin(_SettingAdmin):
    """Managers set up their own services; a rule for every service is the installation's."""

    owner = "service__provider"
    whose = "for services of the organisation acted for; for every service, of the installation"
    list_display = ("category", "service", "priority", "outcome_code", "minutes")
    sortable_by = list_display
    list_filter = ("category", "priority")
    list_select_related = ("service",)

    def seen(self, request: HttpRequest) -> Q:
        """Also those for every service, which managers can read."""
        return Q(service=None) | super().seen(request)

    def owner_of(self, row: BreachRule) -> int | None:
        return row.service.provider_id if row.service else None

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._is_theirs(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self._is_theirs(request, obj)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        """The services that somebody may make rules for; none of them is every service."""
        everything = administers_everything(request)
        services = own_services(request)
        kwargs["queryset"] = services if everything or _runs_services(request) else services.none()
        kwargs["required"] = not (everything or _keeps_shared(request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _is_theirs(self, request: HttpRequest, obj: BreachRule | None) -> bool:
        if obj is None or administers_everything(request):
            return True
        if obj.service is None:
            return _keeps_shared(request)
        return _runs_services(request) and obj.service.provider_id == acts_for(request)


def _keeps_shared(request: HttpRequest) -> bool:
    return request.user.has_perm(KEEP_SHARED)


def _runs_services(request: HttpRequest) -> bool:
    return request.user.has_perm("directory.change_healthcareservice")
