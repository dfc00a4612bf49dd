"""Patients and journeys in the admin: auditors and superusers look, each look is recorded, nobody changes."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from bars_portal.accounts.admin import AuditedReadOnlyAdmin
from bars_portal.nhsuk.words import format_nhs_number
from bars_portal.patients.models import Journey, Patient
from bars_portal.patients.presenters import ContactLine, address_text, contact_lines


class ScopedAdmin(AuditedReadOnlyAdmin):
    """Superusers see every organisation's, everybody else those of the organisation that they act for."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_queryset(request)
        if getattr(request.user, "is_superuser", False):
            return found
        return found.filter(organisation_id=getattr(request.user, "acting_organisation_id", None))


@admin.register(Patient)
class PatientAdmin(ScopedAdmin):
    """The list names nobody, and what is searched for is in the address: ids only, never an NHS number."""

    list_display = ("id", "organisation", "birth_year", "created_at")
    list_select_related = ("organisation",)
    list_filter = ("organisation", "created_at")
    search_fields = ("=id", "=journey__correlation_id")
    search_help_text = "The id of a record, or the correlation id of its conversation"
    fields = (
        "prefix",
        "given_names",
        "family_name",
        "birth_date",
        "gender",
        "number",
        "nhs_number_verified",
        "address",
        "contacts",
        "journey",
        "organisation",
        "created_at",
    )
    readonly_fields = fields

    @admin.display(description="born in")
    def birth_year(self, patient: Patient) -> str:
        return str(patient.birth_date.year) if patient.birth_date else "Not known"

    @admin.display(description="NHS number")
    def number(self, patient: Patient) -> str:
        return format_nhs_number(patient.nhs_number) or "Not known"

    @admin.display(description="address")
    def address(self, patient: Patient) -> str:
        return address_text(patient) or "Not known"

    @admin.display(description="contacts, the call-back first")
    def contacts(self, patient: Patient) -> str:
        return "\n".join(_contact_text(line) for line in contact_lines(patient)) or "None"


@admin.register(Journey)
class JourneyAdmin(ScopedAdmin):
    list_display = ("id", "organisation", "journey_id", "correlation_id", "created_at")
    list_select_related = ("organisation",)
    search_fields = ("=id", "=journey_id", "=correlation_id")
    fields = ("organisation", "journey_id", "correlation_id", "created_at")
    readonly_fields = fields


def _contact_text(line: ContactLine) -> str:
    ways = "; ".join(f"{way.label} {way.value}" for way in line.ways)
    return f"{line.who} {line.name}: {ways}".replace(" :", ":")
