"""Services, endpoints and what services said of themselves, as staff see and change them."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from bars_portal.accounts.acting import Acting, acting_in, actor_of
from bars_portal.accounts.admin import JudgedAgain
from bars_portal.audit.admin import ReadOnlyAdmin
from bars_portal.audit.staff_pages import StaffAdmin, acts_for, administers_everything
from bars_portal.nhsuk.dates import format_datetime
from directory.admin.forms import EndpointForm, HealthcareServiceForm
from directory.capability import Difference, staff_words
from directory.models import CapabilityChange, Endpoint, HealthcareService, ServiceCapability
from directory.policies import can_change_endpoint, can_change_service, keeps_shared_directory
from directory.selectors.capability import changes_of, lately_stopped
from directory.selectors.services import endpoints_on_staff_pages, services_on_staff_pages
from directory.services.capability import clear_capability
from directory.services.entries import create_entry, save_entry


def _sees_shared(request: HttpRequest) -> bool:
    """Engineers look into the shared directory, so that they see where messages go."""
    return request.user.has_perm("directory.change_endpoint") or keeps_shared_directory(acting_in(request))


_SHARED = "of the organisation acted for; engineers read what nobody here hosts too"


class DirectoryAdmin(JudgedAgain, StaffAdmin):
    """Rows are fixed to `fixed_fields` once they are there, and never deleted: messages point at them."""

    fixed_fields: ClassVar[tuple[str, ...]] = ()
    always_fixed: ClassVar[tuple[str, ...]] = ()

    def may_change(self, row: Any, acting: Acting | None) -> bool:
        raise NotImplementedError

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.always_fixed if obj is None else (*self.fixed_fields, *self.always_fixed)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if not super().has_change_permission(request, obj):
            return False
        return obj is None or administers_everything(request) or self.may_change(obj, acting_in(request))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actor, now = actor_of(request), timezone.now()
        if change:
            save_entry(entry=obj, changed=form.changed_data, actor=actor, now=now)
        else:
            create_entry(entry=obj, actor=actor, now=now)


@admin.register(HealthcareService)
class HealthcareServiceAdmin(DirectoryAdmin):
    owner = "provider"
    whose = _SHARED
    form = HealthcareServiceForm
    # Who and where a service is, is given by the catalogue.
    fixed_fields = ("service_id", "provider", "hosted")
    # Stopped and taken up again on a page of its own, where an end and a reason are asked for.
    always_fixed = ("last_success_at", "failing_since", "said_anew", "paused_until", "pause_reason")
    list_display = ("name", "service_id", "service_type", "provider", "active", "takes_bookings", "hosted")
    sortable_by = list_display
    list_filter = ["active", "hosted", "service_type", "takes_bookings", "takes_referrals"]
    list_select_related = ["provider"]
    search_fields = ["name", "service_id", "postcode"]
    fieldsets = [
        (None, {"fields": ["service_id", "provider", "hosted", "last_success_at", "failing_since"]}),
        ("Service", {"fields": ["name", "service_type", "active"]}),
        ("Place", {"fields": ["address_lines", "postcode", "catchment_miles", "phone"]}),
        ("Hours", {"fields": ["opening_hours", "bank_holiday_hours"]}),
        (
            "What it accepts",
            {
                "fields": [
                    "takes_bookings",
                    "takes_referrals",
                    "requires_booking",
                    "paused_until",
                    "pause_reason",
                    "accepted_use_cases",
                    "said_anew",
                ]
            },
        ),
        ("Who may send", {"fields": ["referral_roles", "allowed_callers"]}),
    ]

    def seen(self, request: HttpRequest) -> Q:
        organisation_id = acts_for(request)
        if organisation_id is None:
            return super().seen(request)
        return services_on_staff_pages(organisation_id, shared=_sees_shared(request))

    def may_change(self, row: HealthcareService, acting: Acting | None) -> bool:
        return can_change_service(row, acting)

    @admin.display(description="what it said of itself anew")
    def said_anew(self, service: HealthcareService) -> SafeString | str:
        lines = (
            (f"{each}, since {format_datetime(at)}",)
            for at, found in changes_of(service)
            for each in staff_words(found)
        )
        return format_html_join("", "<p>{}</p>", lines) or "-"


@admin.register(Endpoint)
class EndpointAdmin(DirectoryAdmin):
    owner = "service__provider"
    whose = f"{_SHARED}; and endpoints that it manages for others"
    form = EndpointForm
    fixed_fields = ("service", "managing_organisation", "payload_type")
    list_display = ("name", "service", "status", "address", "managing_organisation")
    sortable_by = list_display
    list_filter = ["status", "connection_type"]
    list_select_related = ["service", "managing_organisation"]
    search_fields = ["name", "address", "service__name", "service__service_id"]

    def seen(self, request: HttpRequest) -> Q:
        organisation_id = acts_for(request)
        if organisation_id is None:
            return super().seen(request)
        return endpoints_on_staff_pages(organisation_id, shared=_sees_shared(request))

    def may_change(self, row: Endpoint, acting: Acting | None) -> bool:
        return can_change_endpoint(row, acting)


class _SaidAdmin(ReadOnlyAdmin):
    """What services say of themselves, which they say to everybody who sends to them."""

    owner = "service__provider"
    whose = "of every service: what it tells everybody"

    def seen(self, request: HttpRequest) -> Q:
        return Q()


@admin.register(ServiceCapability)
class ServiceCapabilityAdmin(_SaidAdmin):
    list_display = ("service", "version", "agreed_version", "use_cases", "booking_use_cases", "read_at")
    sortable_by = ("service", "version", "agreed_version", "read_at")
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
        """Engineers for their own services; of those that nobody here hosts it is for who keeps these."""
        if not administers_everything(request):
            shared = keeps_shared_directory(acting_in(request))
            theirs = services_on_staff_pages(acts_for(request) or 0, shared=shared, path="service__")
            queryset = queryset.filter(theirs)
        cleared = list(queryset.select_related("service"))
        for each in cleared:
            clear_capability(service=each.service)
            self._record(request, "directory.clear_capability", each)
        messages.success(request, f"Cleared: {len(cleared)}. They are asked again when somebody next sends.")


class _StoppedFilter(admin.SimpleListFilter):
    title = "stopped accepting something"
    parameter_name = "stopped"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("lately", "In the last 7 days")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "lately":
            return queryset
        return queryset.filter(pk__in=lately_stopped(now=timezone.now()).values("pk"))


@admin.register(CapabilityChange)
class CapabilityChangeAdmin(_SaidAdmin):
    list_display = ("service", "noticed_at", "what_changed")
    sortable_by = ("service", "noticed_at")
    list_select_related = ("service",)
    list_filter = (_StoppedFilter, "noticed_at")
    search_fields = ("=service__service_id", "service__name")
    fields = ("service", "noticed_at", "what_changed", "stated")

    @admin.display(description="what changed")
    def what_changed(self, change: CapabilityChange) -> SafeString | str:
        told = staff_words(Difference(change.added, change.removed))
        return format_html_join("", "<p>{}</p>", ((each,) for each in told)) or "First heard of"
