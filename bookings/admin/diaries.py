"""Diaries and their slots: the weekly pattern, making slots, and blocking and freeing them in bulk."""

from collections.abc import Callable
from datetime import datetime, time
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTimeWidget
from django.db.models import ForeignKey, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from bars_portal.accounts.acting import actor_of
from bars_portal.accounts.admin import JudgedAgain
from bars_portal.audit.staff_pages import StaffAdmin
from bars_portal.correspondence.admin import changeable, own_services
from bars_portal.exchange.fhir.timestamps import LONDON
from bookings.models import Schedule, Slot
from bookings.models.diary import MIDNIGHT
from bookings.services.diaries import block_slots, free_slots, make_slots, save_schedule

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


END_OF_DAY = "24:00"


class EndOfDayField(forms.TimeField):
    """A time at which something of a day ends: midnight is 24:00, however it was typed."""

    widget = AdminTimeWidget

    def to_python(self, value: Any) -> time | None:
        return super().to_python(
            MIDNIGHT if str(value).strip() in (END_OF_DAY, f"{END_OF_DAY}:00") else value
        )

    def prepare_value(self, value: Any) -> Any:
        return END_OF_DAY if value == MIDNIGHT else super().prepare_value(value)


def _end_in_words(end: time) -> str:
    return END_OF_DAY if end == MIDNIGHT else f"{end:%H:%M}"


class ScheduleForm(forms.ModelForm):  # type: ignore[type-arg]  # no generics at run time
    day_end = EndOfDayField(label="Last slot ends by", help_text="London time. 24:00 is the end of the day.")
    weekdays = forms.TypedMultipleChoiceField(
        label="Days of the week",
        choices=list(enumerate(_WEEKDAYS)),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Schedule
        fields = "__all__"


@admin.register(Schedule)
class ScheduleAdmin(JudgedAgain, StaffAdmin):
    owner = "service__provider"
    form = ScheduleForm
    list_display = ("name", "service", "days", "hours", "slot_minutes", "delivery_channel", "active")
    sortable_by = ("name", "service", "slot_minutes", "delivery_channel", "active")
    list_filter = ("active", ("service", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("service",)
    search_fields = ("name", "service__name", "service__service_id")
    actions = ("make_two_weeks", "make_four_weeks")

    @admin.display(description="days")
    def days(self, schedule: Schedule) -> str:
        if len(schedule.weekdays) == len(_WEEKDAYS):
            return "Every day"
        return ", ".join(_WEEKDAYS[day][:3] for day in sorted(schedule.weekdays))

    @admin.display(description="hours (London)")
    def hours(self, schedule: Schedule) -> str:
        return f"{schedule.day_start:%H:%M} to {_end_in_words(schedule.day_end)}"

    def get_readonly_fields(self, request: HttpRequest, obj: Schedule | None = None) -> tuple[str, ...]:
        # Its slots carry the service too.
        return ("service",) if obj is not None else ()

    def formfield_for_foreignkey(self, db_field: ForeignKey[Any], request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "service":
            kwargs["queryset"] = own_services(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Schedule | None = None) -> bool:
        # A clinic's diaries are changed together, on its page.
        own = Schedule.objects.filter(clinic=None)
        theirs = obj is None or changeable(request, own.filter(pk=obj.pk)).exists()
        return super().has_change_permission(request, obj) and theirs

    def has_delete_permission(self, request: HttpRequest, obj: Schedule | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Schedule, form: Any, change: bool) -> None:
        save_schedule(schedule=obj, changed=form.changed_data, actor=actor_of(request), now=timezone.now())

    @admin.action(description="Make slots for the next 14 days", permissions=["change"])
    def make_two_weeks(self, request: HttpRequest, chosen: QuerySet[Schedule]) -> None:
        self._make(request, chosen, 14)

    @admin.action(description="Make slots for the next 28 days", permissions=["change"])
    def make_four_weeks(self, request: HttpRequest, chosen: QuerySet[Schedule]) -> None:
        self._make(request, chosen, 28)

    def _make(self, request: HttpRequest, chosen: QuerySet[Schedule], days: int) -> None:
        now = timezone.now()
        today, actor = now.astimezone(LONDON).date(), actor_of(request)
        diaries = list(changeable(request, chosen.filter(clinic=None)))
        made = [
            make_slots(schedule=each, first_day=today, days=days, now=now, actor=actor)
            for each in diaries
            if each.active
        ]
        new, left_out = sum(each.made for each in made), sum(each.left_out for each in made)
        messages.success(request, f"{new} new slots. Slots that were there already are unchanged.")
        if left_out:
            words = (
                f"{left_out} times of the pattern were left out: slots that were there already run into them."
            )
            messages.warning(request, words)
        if unused := len(diaries) - len(made):
            messages.warning(request, f"{unused} left as they were: the diary is not active.")
        if planned := chosen.exclude(clinic=None).count():
            messages.warning(request, f"{planned} left as they were: a clinic makes their slots.")


@admin.register(Slot)
class SlotAdmin(StaffAdmin):
    owner = "service__provider"
    list_display = ("start", "end", "service", "schedule", "status", "updated_at")
    sortable_by = ("start", "end", "service", "status", "updated_at")
    list_filter = ("status", ("service", admin.RelatedOnlyFieldListFilter), "start")
    date_hierarchy = "start"
    list_select_related = ("service", "schedule__service")
    readonly_fields = ("schedule", "service", "start", "end", "status", "updated_at")
    actions = ("block", "free")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Block the chosen slots", permissions=["change"])
    def block(self, request: HttpRequest, chosen: QuerySet[Slot]) -> None:
        self._move(request, chosen, block_slots, "blocked")

    @admin.action(description="Free the chosen slots", permissions=["change"])
    def free(self, request: HttpRequest, chosen: QuerySet[Slot]) -> None:
        self._move(request, chosen, free_slots, "freed")

    def _move(
        self, request: HttpRequest, chosen: QuerySet[Slot], service: Callable[..., int], word: str
    ) -> None:
        now: datetime = timezone.now()
        ids = list(changeable(request, chosen).values_list("pk", flat=True))
        changed = service(slot_ids=ids, actor=actor_of(request), now=now)
        messages.success(request, f"{changed} {'slot' if changed == 1 else 'slots'} {word}.")
        if left := len(ids) - changed:
            messages.warning(request, f"{left} left as they were: booked, or {word} already.")
