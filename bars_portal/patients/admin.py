"""Patients and journeys in the admin: auditors and superusers look, each look is recorded, nobody changes.

And how lists of records about patients are searched by who the patient is.
"""

from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone

from bars_portal.audit.admin import ReadOnlyAdmin
from bars_portal.audit.services import record
from bars_portal.audit.staff_lists import PastDaysFilter
from bars_portal.audit.staff_pages import acts_for, administers_everything, reader_of
from bars_portal.nhsuk.dates import format_partly
from bars_portal.nhsuk.words import banner_name, format_nhs_number, without_direction_marks
from bars_portal.patients.details import DIED
from bars_portal.patients.looks.question import MOST, persons_among, records_of
from bars_portal.patients.models import Journey, Patient
from bars_portal.patients.presenters import (
    ContactLine,
    address_text,
    contact_lines,
    other_numbers,
    practice_text,
)
from bars_portal.values import asked_words, compact, is_named

# Of a search by name; who has more of them enters more of the name.
_MOST_NAMED = 200
_DIGITS_OF_NUMBER = 10


class OnePatientFilter(admin.SimpleListFilter):
    """The records of one person, by the id of one record of theirs; an address never says who that is."""

    title = "patient"
    parameter_name = "record"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        given = self.used_parameters.get(str(self.parameter_name))
        return [(str(given), "The patient who was searched for")] if given else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        try:
            known = _patients_for(request).filter(pk=UUID(str(self.value()))).first()
        except ValueError:
            known = None
        if known is None:
            return queryset.none()
        records = records_of(known)
        model = queryset.model
        if model is Patient:
            return queryset.filter(pk__in=[each.pk for each in records])
        if model is Journey:
            return queryset.filter(pk__in=[each.journey_id for each in records])
        return queryset.filter(patient__in=records)


class FindsPatients(ReadOnlyAdmin):
    """A list that is searched by a patient's name or NHS number, or by a reference.

    What is typed is sent and never in an address, and the search is an event of the trail. Who may not know
    who the patient is searches by reference and id.
    """

    knows_patients: ClassVar[tuple[str, ...]] = ("patients.view_patient",)

    def may_know_patients(self, request: HttpRequest) -> bool:
        return any(request.user.has_perm(each) for each in self.knows_patients)

    def get_list_filter(self, request: HttpRequest) -> Any:
        own = super().get_list_filter(request)
        return (OnePatientFilter, *own) if self.may_know_patients(request) else own

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        shown = super().get_changelist_instance(request)
        # For the search box: admin/search_form.html.
        shown.finds_patients = self.may_know_patients(request)  # type: ignore[attr-defined]  # read there
        return shown

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.method == "POST" and "find" in request.POST:
            if not self.has_view_permission(request) or not self.may_know_patients(request):
                raise PermissionDenied
            asked = request.POST.get("find", "").replace("\x00", "")
            return self._find(request, " ".join(asked.split()))
        return super().changelist_view(request, extra_context)

    def _find(self, request: HttpRequest, asked: str) -> HttpResponse:
        if not asked:
            return HttpResponseRedirect(request.path)
        referenced, _ = self.get_search_results(request, self.get_queryset(request), asked)
        if referenced.exists():
            return _list(request, SEARCH_VAR, asked)
        by, found = _patients_meant(request, asked)
        people = persons_among(found[: MOST + 1])
        self._note_search(request, by, people)
        if len(people) == 1:
            return _list(request, "record", str(people[0].pk))
        if len(people) > 1:
            return self._choose(request, people)
        # Not what was typed: this page is kept by no browser, but its words may be read aloud.
        messages.warning(request, "Nothing is found. Check the name, the NHS number or the reference.")
        return HttpResponseRedirect(request.path)

    def _note_search(self, request: HttpRequest, by: str, people: Sequence[Patient]) -> None:
        record(
            actor=reader_of(request),
            action="patients.find",
            subject=people[0] if len(people) == 1 else None,
            detail={"of": str(self.opts.model_name), "by": by, "found": min(len(people), MOST)},
            now=timezone.now(),
        )

    def _choose(self, request: HttpRequest, people: Sequence[Patient]) -> HttpResponse:
        rows = [
            (
                each.pk,
                without_direction_marks(banner_name(each)),
                format_partly(each.born) or "not known",
                format_nhs_number(each.nhs_number) or "not known",
            )
            for each in people[:MOST]
        ]
        context = {
            **self.admin_site.each_context(request),
            "title": "Which patient?",
            "opts": self.opts,
            "list_title": self.list_title,
            "here": request.path,
            "rows": rows,
            "more": len(people) > MOST,
        }
        return TemplateResponse(request, "admin/choose_patient.html", context, using="django")


def _list(request: HttpRequest, name: str, value: str) -> HttpResponse:
    return HttpResponseRedirect(f"{request.path}?{urlencode({name: value})}")


def _patients_for(request: HttpRequest) -> QuerySet[Patient]:
    """Of the organisation that somebody acts for; superusers administer all."""
    rows = Patient.objects.select_related("organisation").order_by("-created_at")
    return rows if administers_everything(request) else rows.filter(organisation=acts_for(request))


def _patients_meant(request: HttpRequest, asked: str) -> tuple[str, list[Patient]]:
    """ "number" or "name", and the records of whoever is meant, the newest first.

    A number with a wrong check digit is looked for too: it may be what is stored.
    """
    digits = compact(asked)
    if digits.isascii() and digits.isdigit():
        if len(digits) != _DIGITS_OF_NUMBER:
            return "number", []
        any_of_theirs = Q(nhs_number=digits) | Q(other_numbers__contains=[{"value": digits}])
        return "number", list(_patients_for(request).filter(any_of_theirs)[:_MOST_NAMED])
    keyed = Q()
    for word in asked_words(asked):
        keyed &= Q(name_key__contains=word)
    rows = _patients_for(request).filter(keyed | Q(name_key=""))[:_MOST_NAMED]
    return "name", [each for each in rows if is_named(f"{each.given_names} {each.family_name}", asked)]


@admin.register(Patient)
class PatientAdmin(FindsPatients):
    """The list names nobody: who is searched for stands in no address and in no title."""

    owner = "organisation"
    called = "Patient records"
    purpose = "What is kept of each patient. Every look is recorded."
    list_display = ("title", "birth_year", "organisation")
    sortable_by = ("title",)
    ordering = ("-created_at",)
    list_select_related = ("organisation",)
    list_filter = (("created_at", PastDaysFilter),)
    search_fields = ("=id", "=journey__correlation_id")
    search_help_text = "The patient's name or NHS number, the id of a record, or the correlation id of a case"
    fieldsets = (
        ("Who it is", {"fields": ("name", "born", "death", "gender")}),
        (
            "NHS number",
            {
                "fields": (
                    "number",
                    "nhs_number_verified",
                    "traced_in",
                    "traced_by",
                    "traced_at",
                    "other_nhs_numbers",
                    "local_number",
                )
            },
        ),
        ("How to reach them", {"fields": ("contacts", "address", "practice")}),
        ("This record", {"fields": ("journey", "organisation", "created_at")}),
    )
    readonly_fields = flatten_fieldsets(fieldsets)
    labels = {
        "nhs_number_verified": "Verified",
        "traced_in": "Traced in",
        "traced_by": "Traced by",
        "traced_at": "Traced on",
        "local_number": "Local number",
        "journey": "Case",
        "created_at": "Made",
    }
    help_texts = {
        "nhs_number_verified": "Somebody found the number for this person, so it may be sent as theirs.",
        "traced_in": "Where the number was found, such as PDS.",
        "local_number": "The number that another system, or this organisation, knows the patient by.",
        "journey": "Everything that was booked, sent and received for the patient in one go.",
        "organisation": "Whose record this is. Others that treat the patient have records of their own.",
    }

    @admin.display(description="record", ordering="created_at")
    def title(self, patient: Patient) -> str:
        return str(patient)

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
class JourneyAdmin(FindsPatients):
    owner = "organisation"
    called = "Cases from first to last message"
    purpose = "The ids under which bookings, referrals and messages of one case belong together."
    sortable_by = ("title",)
    ordering = ("-created_at",)
    list_display = ("title", "organisation", "journey_id")
    list_select_related = ("organisation",)
    list_filter = (("created_at", PastDaysFilter),)
    search_fields = ("=id", "=journey_id", "=correlation_id")
    search_help_text = "The patient's name or NHS number, or the journey id or correlation id of a case"
    fieldsets = ((None, {"fields": ("organisation", "journey_id", "correlation_id", "created_at")}),)
    readonly_fields = ("organisation", "journey_id", "correlation_id", "created_at")
    labels = {"journey_id": "Journey id", "correlation_id": "Correlation id", "created_at": "Begun"}
    help_texts = {
        "journey_id": "What all who treat the patient call the case, where the first of them gave it an id.",
        "correlation_id": "What every message about the case carries (X-Correlation-Id).",
    }

    @admin.display(description="case", ordering="created_at")
    def title(self, journey: Journey) -> str:
        return str(journey)


def _contact_text(line: ContactLine) -> str:
    ways = "; ".join(f"{way.label} {way.value}" for way in line.ways)
    return f"{line.who} {line.name}: {ways}".replace(" :", ":")
