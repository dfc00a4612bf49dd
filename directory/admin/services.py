"""Services: managers change those of the organisation that they act for, others look."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from bars_portal.accounts.acting import Acting, actor_of
from bars_portal.nhsuk.dates import format_datetime
from directory.admin.base import DirectoryAdmin, acting_in, administers_everything
from directory.admin.forms import HealthcareServiceForm
from directory.change_words import staff_words
from directory.models import HealthcareService
from directory.policies import can_change_service
from directory.selectors import changes_of, services_seen_by
from directory.services import create_service, save_service


@admin.register(HealthcareService)
class HealthcareServiceAdmin(DirectoryAdmin):
    form = HealthcareServiceForm
    # Who and where a service is, is given by the catalogue.
    fixed_fields = ("service_id", "provider", "hosted")
    always_fixed = ("last_success_at", "failing_since", "said_anew")
    list_display = ["name", "service_id", "service_type", "provider", "active", "takes_bookings", "hosted"]
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
                    "accepted_use_cases",
                    "said_anew",
                ]
            },
        ),
        ("Who may send", {"fields": ["referral_roles", "allowed_callers"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[HealthcareService]:
        return services_seen_by(acting_in(request), everything=administers_everything(request))

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

    def save_model(self, request: HttpRequest, obj: HealthcareService, form: Any, change: bool) -> None:
        actor, now = actor_of(request), timezone.now()
        if change:
            save_service(service=obj, changed=form.changed_data, actor=actor, now=now)
        else:
            create_service(service=obj, actor=actor, now=now)
