"""What services said of themselves: a cache that staff may look into, and clear."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from bars_portal.accounts.admin import AuditedReadOnlyAdmin
from directory import services
from directory.models import ServiceCapability


@admin.register(ServiceCapability)
class ServiceCapabilityAdmin(AuditedReadOnlyAdmin):
    list_display = ("service", "version", "agreed_version", "use_cases", "booking_use_cases", "read_at")
    list_select_related = ("service",)
    search_fields = ("=service__service_id", "service__name")
    fields = (
        "service",
        "version",
        "agreed_version",
        "definitions",
        "use_cases",
        "booking_use_cases",
        "read_at",
    )
    actions = ("clear_now",)  # type: ignore[assignment]  # read-only pages have none; this changes no record

    def has_clear_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("directory.clear_servicecapability")

    @admin.action(description="Clear now: ask the service again", permissions=["clear"])
    def clear_now(self, request: HttpRequest, queryset: QuerySet[ServiceCapability]) -> None:
        cleared = list(queryset.select_related("service"))
        for each in cleared:
            services.clear_capability(service=each.service)
        messages.success(request, f"Cleared: {len(cleared)}. They are asked again when somebody next sends.")
