"""The trail in the admin, read-only and itself audited; and the base of every read-only admin page."""

import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from bars_portal.audit.actor import Actor
from bars_portal.audit.models import AuditEvent
from bars_portal.audit.presenters import action_words, detail_words, outcome_words, subject_words
from bars_portal.audit.selectors import events_of
from bars_portal.audit.services import record

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Model]
else:
    _ModelAdmin = admin.ModelAdmin


class ReadOnlyAdmin(_ModelAdmin):
    """Nobody adds, changes or deletes here, superusers included; who may look is the view permission."""

    actions = None

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


_CODE_WORDS: dict[str, Callable[[str], str]] = {"action": action_words, "outcome": outcome_words}


class _CodeFilter(admin.SimpleListFilter):
    """By the codes that are there, in words."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        name = self.parameter_name
        codes = model_admin.get_queryset(request).order_by(name).values_list(name, flat=True).distinct()
        return [(code, _CODE_WORDS[str(name)](code)) for code in codes]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset


class ActionFilter(_CodeFilter):
    title, parameter_name = "what happened", "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return sorted(super().lookups(request, model_admin), key=lambda pair: pair[1])


class OutcomeFilter(_CodeFilter):
    title = parameter_name = "outcome"


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "who", "organisation", "what", "result", "about", "correlation_id")
    list_filter = (ActionFilter, OutcomeFilter, "organisation")
    list_select_related = ("organisation",)
    date_hierarchy = "at"
    search_fields = ("subject_id",)
    search_help_text = "A correlation id, the id of a record, or part of a person's name"
    fields = ("at", "who", "organisation", "what", "result", "about", "correlation_id", "details")
    readonly_fields = fields
    show_full_result_count = False
    list_per_page = 50

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
    def about(self, event: AuditEvent) -> str:
        return subject_words(event)

    @admin.display(description="details")
    def details(self, event: AuditEvent) -> str:
        return detail_words(event)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Auditors read the trail of the organisation that they act for; superusers all of it."""
        user = request.user
        if getattr(user, "is_superuser", False):
            return AuditEvent.objects.all()
        return events_of(getattr(user, "acting_organisation_id", None))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = Q(subject_id__iexact=term) | Q(actor_label__icontains=term)
        # Where it is no id, names and record ids alone are searched.
        with suppress(ValueError):
            wanted |= Q(correlation_id=uuid.UUID(term))
        return queryset.filter(wanted), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        record(actor=_reader(request), action="audit.view_list", now=timezone.now())
        return response


def _reader(request: HttpRequest) -> Actor:
    """This room knows of no sign-in: what it needs of the person hangs on the request."""
    acting = getattr(request, "acting", None)
    if acting is not None:
        actor: Actor = acting.actor
        return actor
    return Actor(label=str(request.user), user_id=request.user.pk)
