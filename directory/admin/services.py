"""Services, endpoints, access rules and what services said of themselves, as staff see and change them."""

import json
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import ForeignKey, Q, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from bars_portal.accounts.acting import Acting, acting_in, actor_of
from bars_portal.accounts.admin import JudgedAgain
from bars_portal.audit.admin import ReadOnlyAdmin
from bars_portal.audit.staff_lists import PastDaysFilter, confirmed
from bars_portal.audit.staff_pages import StaffAdmin, acts_for, administers_everything
from bars_portal.nhsuk.dates import format_datetime
from directory.admin.forms import AccessRuleForm, EndpointForm, HealthcareServiceForm
from directory.capability import Difference, staff_words
from directory.models import AccessRule, CapabilityChange, Endpoint, HealthcareService, ServiceCapability
from directory.policies import (
    can_change_access_rule,
    can_change_endpoint,
    can_change_service,
    keeps_shared_directory,
)
from directory.selectors.access import DRY_RUN_OVER, dry_run
from directory.selectors.services import (
    changes_of,
    endpoints_on_staff_pages,
    lately_stopped,
    services_on_staff_pages,
)
from directory.services.entries import clear_capability, create_entry, save_entry


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
    called = "Services"
    purpose = "What each service is, when it is open, what it accepts, and who may send."
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
    search_help_text = "Part of the name, a DoS service id, or a postcode"
    fieldsets = [
        (None, {"fields": ["name", "service_type", "active", "service_id", "provider", "hosted"]}),
        (
            "What it accepts",
            {
                "fields": [
                    *("takes_bookings", "takes_referrals", "requires_booking", "accepted_use_cases"),
                    *("paused_until", "pause_reason", "said_anew"),
                ]
            },
        ),
        ("Who may send", {"fields": ["referral_roles", "allowed_callers"]}),
        ("When it is open", {"fields": ["opening_hours", "bank_holiday_hours"]}),
        ("Where it is", {"fields": ["address_lines", "postcode", "phone", "catchment_miles"]}),
        ("How messages to it go", {"fields": ["last_success_at", "failing_since"]}),
    ]
    labels = {
        "service_type": "Kind of service",
        "active": "In use",
        "provider": "Organisation that runs it",
        "catchment_miles": "Catchment in miles",
        "failing_since": "Not answering since",
        "paused_until": "Takes no referrals until",
        "takes_bookings": "Takes bookings",
        "takes_referrals": "Takes referrals",
        "requires_booking": "Requires a booking",
    }
    help_texts = {
        "name": "As people who search for it know it.",
        "active": "When it is not, nobody finds it and messages to it are refused.",
        "service_id": "Of the Directory of Services. It cannot be changed once the service is there.",
        "provider": "It cannot be changed once the service is there.",
        "hosted": "This portal answers for it; otherwise it is somewhere else, and we send to it.",
        "takes_bookings": "Others may look for times and book them.",
        "takes_referrals": "Others may send referrals or validation requests.",
        "requires_booking": "A referral is only taken together with an appointment.",
        "paused_until": "Stopped and taken up again on the page No referrals for now.",
        "catchment_miles": "How far away its patients may live. Empty: no limit is known.",
        "last_success_at": "When it last answered a message of ours.",
        "failing_since": "Empty: it answers.",
    }

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
    purpose = "The addresses to which messages for a service go."
    form = EndpointForm
    fixed_fields = ("service", "managing_organisation", "payload_type")
    list_display = ("name", "service", "status", "address", "managing_organisation")
    sortable_by = list_display
    list_filter = ["status", "connection_type"]
    list_select_related = ["service", "managing_organisation"]
    search_fields = ["name", "address", "service__name", "service__service_id"]
    search_help_text = "Part of the name, the address or the service's name, or a DoS service id"
    fieldsets = [
        (None, {"fields": ["name", "service", "status"]}),
        ("Where messages go", {"fields": ["address", "connection_type", "payload_type"]}),
        (
            "Who keeps it, and for how long",
            {"fields": ["managing_organisation", "period_start", "period_end"]},
        ),
    ]
    labels = {
        "payload_type": "What it takes",
        "managing_organisation": "Organisation that keeps it",
        "period_start": "In use from",
        "period_end": "In use until",
    }
    help_texts = {
        "name": "So that people tell one from another.",
        "service": "It cannot be changed later.",
        "status": "Only an active one is used.",
        "payload_type": "bars: messages of the Booking and Referral Standard.",
        "managing_organisation": "Who is asked when it does not answer. It cannot be changed later.",
        "period_start": "London time. Empty: from now.",
        "period_end": "London time. Empty: no end is known.",
    }

    def seen(self, request: HttpRequest) -> Q:
        organisation_id = acts_for(request)
        if organisation_id is None:
            return super().seen(request)
        return endpoints_on_staff_pages(organisation_id, shared=_sees_shared(request))

    def may_change(self, row: Endpoint, acting: Acting | None) -> bool:
        return can_change_endpoint(row, acting)


_MOST_SHOWN = 50


@admin.register(AccessRule)
class AccessRuleAdmin(DirectoryAdmin):
    """Switched off, a rule stays: what it was is on the trail and in its row."""

    owner = "service__provider"
    purpose = "Who may use a service, tried on what came lately before it counts."
    form = AccessRuleForm
    fixed_fields = ("service", "would_refuse")
    list_display = ("name", "service", "software", "version_from", "version_to", "in_force")
    sortable_by = list_display
    list_filter = ["in_force"]
    list_select_related = ["service"]
    search_fields = ["name", "software", "service__name", "=service__service_id"]
    search_help_text = "Part of the name, the software or the service's name, or a DoS service id"
    help_texts = {"service": "It cannot be changed later."}

    def get_fieldsets(self, request: HttpRequest, obj: AccessRule | None = None) -> Any:
        who = ["organisations", "roles", "software", "version_from", "version_to"]
        return [
            (None, {"fields": ["service", "name", "in_force"]}),
            ("Who may use the service by this rule: all of it must fit", {"fields": who}),
            *([("Tried on what came lately", {"fields": ["would_refuse"]})] if obj else []),
        ]

    def may_change(self, row: AccessRule, acting: Acting | None) -> bool:
        return can_change_access_rule(row, acting)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        services = HealthcareService.objects.filter(hosted=True).order_by("name")
        everything = administers_everything(request)
        kwargs["queryset"] = services if everything else services.filter(provider=acts_for(request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description="as if it were in force")
    def would_refuse(self, rule: AccessRule) -> SafeString:
        found = dry_run(rule)
        shown, rest = found.refused[:_MOST_SHOWN], found.refused[_MOST_SHOWN:]
        context = {"found": found, "shown": shown, "more": len(rest), "over": DRY_RUN_OVER}
        return render_to_string("admin/directory/accessrule/dry_run.html", context, using="django")


class _SaidAdmin(ReadOnlyAdmin):
    """What services say of themselves, which they say to everybody who sends to them."""

    owner = "service__provider"
    whose = "of every service: what it tells everybody"

    def seen(self, request: HttpRequest) -> Q:
        return Q()


@admin.register(ServiceCapability)
class ServiceCapabilityAdmin(_SaidAdmin):
    called = "What services say they take"
    purpose = "As each of them last answered. It is asked again before somebody sends."
    list_display = ("service", "version", "referrals_by", "bookings_by", "read_at")
    sortable_by = ("service", "version", "read_at")
    list_select_related = ("service",)
    search_fields = ("=service__service_id", "service__name")
    search_help_text = "The name of a service, or a DoS service id"
    fieldsets = (
        (None, {"fields": ("service", "read_at")}),
        ("What it takes", {"fields": ("referrals_by", "bookings_by", "definitions")}),
        ("Version of the standard", {"fields": ("version", "agreed_version")}),
    )
    labels = {
        "definitions": "Kinds of message",
        "version": "That it speaks",
        "agreed_version": "That we speak with it",
        "read_at": "Asked",
    }
    help_texts = {
        "definitions": "The MessageDefinitions that it names. None: it did not say.",
        "agreed_version": "The newest that both know.",
    }
    actions = ("clear_now",)  # type: ignore[assignment]  # read-only pages have none; this changes no record

    @admin.display(description="takes referrals by")
    def referrals_by(self, said: ServiceCapability) -> str:
        return _listed(said.use_cases)

    @admin.display(description="takes bookings by")
    def bookings_by(self, said: ServiceCapability) -> str:
        return _listed(said.booking_use_cases)

    def has_clear_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("directory.clear_servicecapability")

    def _clearable(
        self, request: HttpRequest, rows: QuerySet[ServiceCapability]
    ) -> QuerySet[ServiceCapability]:
        """Engineers for their own services; of those that nobody here hosts it is for who keeps these."""
        if administers_everything(request):
            return rows
        shared = keeps_shared_directory(acting_in(request))
        return rows.filter(services_on_staff_pages(acts_for(request) or 0, shared=shared, path="service__"))

    def _will_clear(self, request: HttpRequest, said: ServiceCapability) -> str:
        rows = ServiceCapability.objects.filter(pk=said.pk)
        may = self._clearable(request, rows).exists()
        return "will be asked again when somebody next sends" if may else "stays: it is not yours to clear"

    @admin.action(description="Clear now: ask the service again", permissions=["clear"])
    @confirmed(lambda page, request, said: page._will_clear(request, said))
    def clear_now(self, request: HttpRequest, queryset: QuerySet[ServiceCapability]) -> None:
        cleared = list(self._clearable(request, queryset).select_related("service"))
        for each in cleared:
            clear_capability(service=each.service)
            self._record(request, "directory.clear_capability", each)
        messages.success(request, f"Cleared: {len(cleared)}. They are asked again when somebody next sends.")


def _listed(codes: list[str] | None) -> str:
    return "Not told" if codes is None else ", ".join(codes) or "None"


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
    called = "What services changed of what they take"
    purpose = "What a service takes since when, and no longer takes."
    list_display = ("service", "noticed_at", "what_changed")
    sortable_by = ("service", "noticed_at")
    list_select_related = ("service",)
    list_filter = (_StoppedFilter, ("noticed_at", PastDaysFilter))
    search_fields = ("=service__service_id", "service__name")
    search_help_text = "The name of a service, or a DoS service id"
    fieldsets = (
        (None, {"fields": ("service", "noticed_at", "what_changed")}),
        ("All that it said then", {"fields": ("all_said",), "classes": ("collapse",)}),
    )
    labels = {"noticed_at": "Noticed"}
    help_texts = {"noticed_at": "When somebody here next sent to it: it may have changed before."}

    @admin.display(description="in its own codes")
    def all_said(self, change: CapabilityChange) -> SafeString:
        told = json.dumps(change.stated, indent=2, ensure_ascii=False)
        return format_html('<pre class="message" tabindex="0">{}</pre>', told)

    @admin.display(description="what changed")
    def what_changed(self, change: CapabilityChange) -> SafeString | str:
        told = staff_words(Difference(change.added, change.removed))
        return format_html_join("", "<p>{}</p>", ((each,) for each in told)) or "First heard of"
