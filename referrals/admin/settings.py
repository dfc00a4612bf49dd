"""Code lists and breach rules: what staff set up, every change in the audit trail."""

from typing import Any

from django.contrib import admin
from django.db.models import ForeignKey, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from bars_portal.accounts.acting import actor_of
from bars_portal.correspondence.admin import changeable, changes_everything, of_own_services, own_services
from referrals import services
from referrals.models import BreachRule, ListedCode


class _SettingAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # no generics at run time
    """One at a time, so that each change has its audit event."""

    actions = None

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        services.save_setting(row=obj, actor=actor_of(request), now=timezone.now())

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        services.remove_setting(row=obj, actor=actor_of(request), now=timezone.now())


@admin.register(ListedCode)
class ListedCodeAdmin(_SettingAdmin):
    """Many at once: `manage.py import_codes`."""

    list_display = ("display", "code", "list_name", "system", "offered")
    list_filter = ("list_name", "offered", "system")
    search_fields = ("=code", "display")


@admin.register(BreachRule)
class BreachRuleAdmin(_SettingAdmin):
    list_display = ("category", "service", "priority", "minutes")
    list_filter = ("category", "priority")
    list_select_related = ("service",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[BreachRule]:
        """Also those for every service, which managers can read."""
        rows = super().get_queryset(request)
        own = of_own_services(request, BreachRule.objects.exclude(service=None))
        return rows.filter(Q(service=None) | Q(pk__in=own.values("pk")))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._is_theirs(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self._is_theirs(request, obj)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Managers set up their own services; a rule for every service is not theirs to make."""
        kwargs |= {"queryset": own_services(request), "required": not changes_everything(request)}
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _is_theirs(self, request: HttpRequest, obj: Any) -> bool:
        """A rule for every service is the superusers'."""
        return obj is None or changeable(request, BreachRule.objects.filter(pk=obj.pk)).exists()
