"""Whose rows the administration lets change, and records about patients, which it only shows."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from bars_portal.accounts.acting import acting_in
from bars_portal.audit.staff_pages import administers_everything
from bars_portal.correspondence.states import Direction
from bars_portal.nhsuk.words import listed_name, without_direction_marks
from bars_portal.patients.admin import FindsPatients
from directory.models import HealthcareService


def changeable(request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Rows with a `service` that may be changed by whoever may change such rows at all."""
    if administers_everything(request):
        return rows
    acting = acting_in(request)
    return rows.filter(service__provider=acting.organisation) if acting else rows.none()


def own_services(request: HttpRequest) -> QuerySet[HealthcareService]:
    """Hosted services that rows can be made for."""
    hosted = HealthcareService.objects.filter(hosted=True)
    acting = acting_in(request)
    if administers_everything(request):
        return hosted
    return hosted.filter(provider=acting.organisation) if acting else hosted.none()


# What is shown in the admin and never changed: records about a patient, and rows that come with them.


class ShownRows:
    """Of an inline: nothing to add or change, and shown to whoever may see the record that they are of."""

    shown_with: ClassVar[tuple[str, ...]] = ()
    template = "admin/read_only_rows.html"
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return any(request.user.has_perm(each) for each in self.shown_with)


class ShownSteps(ShownRows):
    """What happened to a booking or a case, in the words of the portal's own pages."""

    event_words: ClassVar[Mapping[str, str]] = {}
    # Any: the classes beside it in an inline have wider types of their own.
    fields: ClassVar[Any] = ("at", "what", "before", "after", "who", "note")
    readonly_fields: ClassVar[Any] = fields
    ordering: ClassVar[Any] = ("at", "id")

    @staticmethod
    def status_words(status: str) -> str:
        raise NotImplementedError

    @admin.display(description="what happened")
    def what(self, step: Any) -> str:
        return self.event_words.get(step.event, str(step.event))

    @admin.display(description="status before")
    def before(self, step: Any) -> str:
        return self.status_words(step.from_status) if step.from_status else "None"

    @admin.display(description="status after")
    def after(self, step: Any) -> str:
        return self.status_words(step.to_status)

    @admin.display(description="who")
    def who(self, step: Any) -> str:
        return str(step.actor_label)


class PatientRecordAdmin(FindsPatients):
    """Records of an organisation about a patient, whose name is shown only to people who may know it.

    `facts` are the fields for everybody, under their headings. Who lacks the permission `sees_sent` is shown
    what was received; "" asks for none.
    """

    owner = "organisation"
    facts: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]] = ()
    sees_sent: ClassVar[str] = ""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The name is there for people who may know it, and not there for others: no mask to see through."""
        shown = [(heading, {"fields": names}) for heading, names in self.facts]
        named = [("Patient", {"fields": ("patient_name",)})] if self.may_know_patients(request) else []
        return [*named, *shown]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*(name for _, names in self.facts for name in names), "patient_name")

    def seen(self, request: HttpRequest) -> Q:
        # Managers run their services; what clinicians send elsewhere is not their affair.
        every = not self.sees_sent or request.user.has_perm(self.sees_sent)
        return super().seen(request) & (Q() if every else Q(direction=Direction.RECEIVED))

    @admin.display(description="reference")
    def shown_reference(self, shown: Any) -> str:
        return shown.reference or "none given"

    @admin.display(description="patient")
    def patient_name(self, shown: Any) -> str:
        patient = shown.patient
        name = listed_name(patient.family_name, patient.given_names, patient.died)
        return without_direction_marks(name)
