"""Staff pages: cases and stray responses are shown, never changed; code lists and breach rules are set up."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import ForeignKey, Q
from django.http import HttpRequest
from django.utils import timezone

from bars_portal.accounts.acting import actor_of
from bars_portal.accounts.admin import JudgedAgain
from bars_portal.audit.staff_lists import DaysFilter, DoneFilter, PastDaysFilter, ThereFilter
from bars_portal.audit.staff_pages import StaffAdmin, acts_for, administers_everything
from bars_portal.correspondence.admin import (
    PatientRecordAdmin,
    ShownRows,
    ShownSteps,
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
from referrals.cases.states import CaseStatus
from referrals.cases.words import EVENTS

if TYPE_CHECKING:
    _ChangeInline = admin.TabularInline[CaseStatusChange, AbstractCase]
    _ReplyInline = admin.TabularInline[CaseReply, AbstractCase]
    _AnswerInline = admin.TabularInline[CaseAnswer, AbstractCase]
else:
    _ChangeInline = _ReplyInline = _AnswerInline = admin.TabularInline

# Who may know who the patient is: those who see received referrals or patient records.
KNOW_PATIENTS = ("referrals.view_received_referrals", "patients.view_patient")
_VIEW_CASES = ("referrals.view_referral", "referrals.view_validationcase")


class _History(ShownSteps, _ChangeInline):
    shown_with = _VIEW_CASES
    model = CaseStatusChange
    event_words = EVENTS
    fields = ("at", "what", "before", "after", "version", "who", "note")
    readonly_fields = fields

    @staticmethod
    def status_words(status: str) -> str:
        return CaseStatus(status).label


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
    list_display = (
        "shown_reference",
        "direction",
        "status",
        "priority",
        "breach_at",
        "service",
        "sender_name",
        "safeguarding",
        "created_at",
    )
    sortable_by = tuple(name for name in list_display if name != "shown_reference")
    list_filter = (
        *("status", ("breach_at", DaysFilter), "direction", "safeguarding"),
        *(("service", ThereFilter), ("created_at", PastDaysFilter)),
    )
    list_select_related = ("service",)
    search_fields = ("=reference", "=id", "=remote_id", "=correlation_id")
    search_help_text = "The patient's name or NHS number, a whole reference, a request id or a correlation id"
    knows_patients = KNOW_PATIENTS
    sees_sent = "referrals.view_sent_referrals"
    facts = (
        ("Request", ("shown_reference", "status", "service", "use_case", "direction")),
        ("How urgent", ("priority", "occurrence_start", "breach_at")),
        ("Warnings", ("safeguarding", "scene_unsafe", "flags")),
        (
            "Who asks",
            ("requester_name", "requester_ods_code", "sender_name", "sender_ods_code", "authored_on"),
        ),
        ("This record", ("version", "created_at", "updated_at")),
    )
    labels = {
        "use_case": "Use case",
        "occurrence_start": "Wanted from",
        "breach_at": "To be answered by",
        "authored_on": "Written",
        "scene_unsafe": "Scene not safe",
        "version": "Version",
        "created_at": "Made",
        "updated_at": "Last changed",
    }
    help_texts = {
        "status": "As our people see it; what the other side has been told is in the messages.",
        "direction": "Received: others sent it to your service. Sent: your people sent it.",
        "use_case": "The code of the Booking and Referral Standard for the way that this request goes.",
        "priority": "As the sender says it.",
        "occurrence_start": "From when the patient is to be seen.",
        "breach_at": "As the request says it, or by the rule for the time to answer.",
        "safeguarding": "The request, or a later message, warns of a risk to somebody.",
        "flags": "Codes of all warnings that came with it. The case itself has their words.",
        "requester_name": "Who decided that the patient is to be seen.",
        "requester_ods_code": "Of the organisation of whoever asks.",
        "sender_name": "Whose system sent the message.",
        "sender_ods_code": "Of the organisation that sent the message.",
        "version": "How often it was changed.",
    }


@admin.register(Referral)
class ReferralAdmin(_CaseAdmin):
    purpose = "Every patient who was handed over, with all that was decided."
    inlines = _inlines("referral")


@admin.register(ValidationCase)
class ValidationCaseAdmin(_CaseAdmin):
    called = "Validation requests"
    purpose = "Every question of how urgent a case is, with the answers."
    inlines = _inlines("validation")


@admin.register(UnmatchedReply)
class UnmatchedReplyAdmin(PatientRecordAdmin):
    called = "Replies to nothing of ours"
    purpose = "Replies that fit no request of ours: one of them may be a safeguarding warning."
    list_display = ("kind", "received_at", "service", "sender_name", "safeguarding", "handled_at")
    sortable_by = list_display
    list_filter = (
        ("handled_at", DoneFilter),
        *("kind", ("service", ThereFilter), "safeguarding"),
        ("received_at", PastDaysFilter),
    )
    list_select_related = ("service",)
    search_fields = ("=id", "=answers_bundle_id", "=journey__correlation_id")
    search_help_text = (
        "The patient's name or NHS number, a reply id, the id of the message it answers, or a correlation id"
    )
    knows_patients = KNOW_PATIENTS
    facts = (
        ("Reply", ("kind", "received_at", "service", "safeguarding")),
        ("Who replied", ("sender_name", "sender_ods_code", "source_service_id")),
        (
            "What it says",
            ("request_status", "responder_status", "reason_code", "priority", "answers_bundle_id"),
        ),
        ("What became of it", ("handled_at", "handled_by")),
    )
    labels = {
        "received_at": "Received",
        "source_service_id": "Service id of the sender",
        "request_status": "State of the request",
        "responder_status": "State at the service",
        "reason_code": "Code of the reason",
        "answers_bundle_id": "Message that it answers",
        "handled_at": "Dealt with",
        "handled_by": "By whom",
    }
    help_texts = {
        "safeguarding": "The reply warns of a risk to somebody.",
        "sender_ods_code": "Of the organisation that replied.",
        "source_service_id": "Where the reply came from (MessageHeader.source.endpoint).",
        "request_status": "FHIR's word for it: active, revoked, completed.",
        "responder_status": "How far the service is, in a word of the standard.",
        "reason_code": "The code that the service gave as its reason.",
        "priority": "As the service judged it.",
        "answers_bundle_id": "Its Bundle.id: no message of yours has it.",
        "handled_at": "Empty: somebody still has to read it, on the page of unmatched replies.",
    }


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
    called = "Codes that forms offer"
    purpose = "What people choose from when they write or answer a request."
    list_display = ("display", "code", "list_name", "system", "offered")
    sortable_by = list_display
    list_filter = ("list_name", "offered", "system")
    search_fields = ("=code", "display")
    search_help_text = "A whole code, or some of its words"
    fieldsets = (
        (None, {"fields": ("list_name", "offered")}),
        ("The code", {"fields": ("display", "code", "system")}),
    )
    labels = {"display": "Words"}
    help_texts = {
        "list_name": "Where the code is offered.",
        "offered": "One that is not offered still has its words here, for messages that have it.",
        "display": "What people read. It goes out with the code.",
        "code": "As its code system writes it.",
        "system": "The address of the code system, such as http://snomed.info/sct.",
    }


@admin.register(BreachRule)
class BreachRuleAdmin(_SettingAdmin):
    """Managers set up their own services; a rule for every service is the installation's."""

    owner = "service__provider"
    whose = "for services of the organisation acted for; for every service, of the installation"
    called = "Times to answer"
    purpose = "Until when a request is to be answered that says no time itself."
    list_display = ("category", "service", "priority", "outcome_code", "minutes")
    sortable_by = list_display
    list_filter = ("category", "priority")
    list_select_related = ("service",)
    search_fields = ("service__name", "=service__service_id", "=outcome_code")
    search_help_text = "The name of a service, a DoS service id, or a whole outcome code"
    fieldsets = (
        ("For which requests", {"fields": ("category", "service", "priority", "outcome_code")}),
        ("How long", {"fields": ("minutes",)}),
    )
    labels = {"category": "Kind of request", "outcome_code": "Outcome code"}
    help_texts = {
        "service": "Empty: every service. A rule for one service comes before a rule for every service.",
        "priority": "Empty: any.",
        "outcome_code": "A Pathways disposition such as Dx02, where the request has one. Empty: any.",
        "minutes": "Counted from when the request came. At most 10080, a week.",
    }

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
