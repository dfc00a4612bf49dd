"""Patients and journeys in the admin: auditors and superusers look, each look is recorded, nobody changes."""

from django.contrib import admin

from bars_portal.audit.admin import ReadOnlyAdmin
from bars_portal.nhsuk.dates import format_partly
from bars_portal.nhsuk.words import banner_name, format_nhs_number, without_direction_marks
from bars_portal.patients.details import DIED
from bars_portal.patients.models import Journey, Patient
from bars_portal.patients.presenters import (
    ContactLine,
    address_text,
    contact_lines,
    other_numbers,
    practice_text,
)


@admin.register(Patient)
class PatientAdmin(ReadOnlyAdmin):
    """The list names nobody, and what is searched for is in the address: ids only, never an NHS number."""

    owner = "organisation"
    list_display = ("id", "organisation", "birth_year", "created_at")
    sortable_by = ("created_at",)
    list_select_related = ("organisation",)
    list_filter = ("created_at",)
    search_fields = ("=id", "=journey__correlation_id")
    search_help_text = "The id of a record, or the correlation id of its conversation"
    fields = (
        "name",
        "born",
        "death",
        "gender",
        "number",
        "nhs_number_verified",
        "traced_in",
        "traced_by",
        "traced_at",
        "other_nhs_numbers",
        "address",
        "practice",
        "local_number",
        "contacts",
        "journey",
        "organisation",
        "created_at",
    )
    readonly_fields = fields

    @admin.display(description="born in")
    def birth_year(self, patient: Patient) -> str:
        return patient.born[:4] or "Not known"

    @admin.display(description="name")
    def name(self, patient: Patient) -> str:
        return without_direction_marks(banner_name(patient))

    @admin.display(description="date of birth")
    def born(self, patient: Patient) -> str:
        return format_partly(patient.born) or "Not known"

    @admin.display(description="died")
    def death(self, patient: Patient) -> str:
        return {"": "Not told", DIED: "Yes, date not known"}.get(patient.died) or format_partly(patient.died)

    @admin.display(description="NHS number")
    def number(self, patient: Patient) -> str:
        return format_nhs_number(patient.nhs_number) or "Not known"

    @admin.display(description="address")
    def address(self, patient: Patient) -> str:
        return without_direction_marks(address_text(patient)) or "Not known"

    @admin.display(description="GP practice")
    def practice(self, patient: Patient) -> str:
        return without_direction_marks(practice_text(patient)) or "Not known"

    @admin.display(description="contacts, the call-back first")
    def contacts(self, patient: Patient) -> str:
        lines = map(_contact_text, contact_lines(patient))
        return without_direction_marks("\n".join(lines)) or "None"

    @admin.display(description="other NHS numbers")
    def other_nhs_numbers(self, patient: Patient) -> str:
        return "\n".join(f"{label}: {value}" for label, value in other_numbers(patient)) or "None"


@admin.register(Journey)
class JourneyAdmin(ReadOnlyAdmin):
    owner = "organisation"
    sortable_by = ("created_at",)
    list_display = ("id", "organisation", "journey_id", "correlation_id", "created_at")
    list_select_related = ("organisation",)
    search_fields = ("=id", "=journey_id", "=correlation_id")
    fields = ("organisation", "journey_id", "correlation_id", "created_at")
    readonly_fields = fields


def _contact_text(line: ContactLine) -> str:
    ways = "; ".join(f"{way.label} {way.value}" for way in line.ways)
    return f"{line.who} {line.name}: {ways}".replace(" :", ":")
