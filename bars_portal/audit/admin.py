"""The trail in the admin, read-only and itself audited; and the base of every read-only admin page."""

import uuid
from contextlib import suppress
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse

from bars_portal.audit.models import AuditEvent
from bars_portal.audit.presenters import action_words, detail_words, outcome_words, subject_words
from bars_portal.audit.selectors import seen_by, seen_by_installation
from bars_portal.audit.staff_lists import PastDaysFilter, ThereFilter
from bars_portal.audit.staff_pages import StaffAdmin, acts_for
from bars_portal.sql import each_value


class ReadOnlyAdmin(StaffAdmin):
    """Nobody adds, changes or deletes here, superusers included; who may look is the view permission."""

    actions = None

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class _CodeFilter(admin.SimpleListFilter):
    """By the codes that are there, in words. They are of no organisation, and say nothing of any."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset


class ActionFilter(_CodeFilter):
    title, parameter_name = "what happened", "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        codes = each_value(AuditEvent, "action")
        return sorted(((code, action_words(code)) for code in codes), key=lambda pair: pair[1])


class OutcomeFilter(_CodeFilter):
    title = parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        codes = [_USUAL, *each_value(AuditEvent, "outcome", other_than=_USUAL)]
        return [(code, outcome_words(code)) for code in codes]


_USUAL = "done"
_OF_NOBODY = "audit.view_installation_trail"


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    owner = "organisation"
    whose = (
        "of the organisation acted for, and of its people where an event names no organisation; "
        "for the installation engineer those of no organisation at all"
    )
    called = "Everything that was done"
    purpose = "Event by event. To ask about a patient, a person or a case, use the page above."
    list_display = ("at", "who", "what", "result", "kind")
    sortable_by = ("at", "who", "what", "result")
    list_filter = (
        *(("at", PastDaysFilter), ActionFilter, OutcomeFilter),
        ("organisation", ThereFilter),
    )
    list_select_related = ("organisation",)
    date_hierarchy = "at"
    search_fields = ("subject_id",)
    search_help_text = "Part of the name of whoever did it, the id of a record, or a correlation id"
    fieldsets = (
        ("Who did what", {"fields": ("at", "who", "organisation", "what", "result")}),
        ("About what", {"fields": ("about", "correlation_id", "details")}),
    )
    readonly_fields = ("at", "who", "organisation", "what", "result", "about", "correlation_id", "details")
    labels = {"at": "When", "organisation": "Acting for", "correlation_id": "Correlation id"}
    help_texts = {
        "organisation": "Whose trail it is on.",
        "correlation_id": "Of all events and messages of one request or one case.",
    }
    show_full_result_count = False

    @admin.display(description="who", ordering="actor_label")
    def who(self, event: AuditEvent) -> str:
        return event.actor_label

    @admin.display(description="what happened", ordering="action")
    def what(self, event: AuditEvent) -> str:
        return action_words(event.action)

    @admin.display(description="outcome", ordering="outcome")
    def result(self, event: AuditEvent) -> str:
        return outcome_words(event.outcome)

    @admin.display(description="about")
    def kind(self, event: AuditEvent) -> str:
        """What kind of record: an id in a list helps nobody."""
        return subject_words(event).partition(" ")[0]

    @admin.display(description="about")
    def about(self, event: AuditEvent) -> str:
        return subject_words(event)

    @admin.display(description="details")
    def details(self, event: AuditEvent) -> str:
        return detail_words(event)

    def named(self, row: AuditEvent) -> str:
        """In words: the event's own name is for programs."""
        return f"{self.who(row)}: {self.what(row)}"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        found = self.get_object(request, object_id) if object_id.isdecimal() else None
        told = {"subtitle": self.named(found)} if found else {}
        return super().change_view(request, object_id, form_url, {**told, **(extra_context or {})})

    def seen(self, request: HttpRequest) -> Q:
        """Auditors read the trail of the organisation that they act for, one role what is of none."""
        organisation_id, seen = acts_for(request), Q(pk__in=[])
        if organisation_id is not None and super().has_view_permission(request):
            seen |= seen_by(organisation_id)
        return seen | seen_by_installation() if request.user.has_perm(_OF_NOBODY) else seen

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or request.user.has_perm(_OF_NOBODY)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        # Names and kinds of records are few: looked through first, they lead to the events by an index.
        kinds, names = each_value(AuditEvent, "subject_type"), each_value(AuditEvent, "actor_label")
        named = [name for name in names if term.casefold() in name.casefold()]
        written = {term, term.lower(), term.upper()}
        wanted = Q(subject_type__in=kinds, subject_id__in=written) | Q(actor_label__in=named)
        # Where it is no id, names and record ids alone are searched.
        with suppress(ValueError):
            wanted |= Q(correlation_id=uuid.UUID(term))
        return queryset.filter(wanted), False
