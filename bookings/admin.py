"""Staff pages of diaries and slots, and of bookings, which are only shown: the exchange owns their state."""

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
from bars_portal.audit.staff_lists import DaysFilter, ThereFilter, confirmed
from bars_portal.audit.staff_pages import StaffAdmin
from bars_portal.correspondence.admin import PatientRecordAdmin, ShownSteps, changeable, own_services
from bars_portal.exchange.fhir.timestamps import LONDON
from bars_portal.nhsuk.dates import format_time
from bookings.models import Booking, BookingStatusChange, Schedule, Slot, SlotStatus
from bookings.models.plan import MIDNIGHT, Hours
from bookings.presenters.bookings import EVENT_WORDS
from bookings.services.diaries import block_slots, foreseen, free_slots, make_slots, save_schedule
from bookings.states import BookingStatus

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_END_OF_DAY = "24:00"


class MinutesWidget(AdminTimeWidget):
    """Hours and minutes: no clinic begins at a second."""

    def __init__(self, attrs: Any = None, format: str | None = "%H:%M") -> None:
        super().__init__(attrs=attrs, format=format)


class EndOfDayField(forms.TimeField):
    """A time at which something of a day ends: midnight is 24:00, however it was typed."""

    widget = MinutesWidget

    def to_python(self, value: Any) -> time | None:
        return super().to_python(
            MIDNIGHT if str(value).strip() in (_END_OF_DAY, f"{_END_OF_DAY}:00") else value
        )

    def prepare_value(self, value: Any) -> Any:
        return _END_OF_DAY if value == MIDNIGHT else super().prepare_value(value)


class ScheduleForm(forms.ModelForm):  # type: ignore[type-arg]  # no generics at run time
    day_start = forms.TimeField(
        label="First slot starts", help_text="London time.", widget=MinutesWidget, initial=time(8)
    )
    day_end = EndOfDayField(label="Last slot ends by", help_text="London time. 24:00 is the end of the day.")
    weekdays = forms.TypedMultipleChoiceField(
        label="Days of the week",
        help_text="On which it has slots.",
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
    called = "Diaries and their weekly patterns"
    purpose = "Diaries outside clinics, each with a weekly pattern. For new ones, plan a clinic."
    form = ScheduleForm
    list_display = ("name", "service", "days", "hours", "slot_minutes", "delivery_channel", "active")
    sortable_by = ("name", "service", "slot_minutes", "delivery_channel", "active")
    list_filter = ("active", ("service", ThereFilter))
    list_select_related = ("service",)
    search_fields = ("name", "service__name", "service__service_id")
    search_help_text = "The name of a diary or service, or a DoS service id"
    fieldsets = (
        (None, {"fields": ("service", "name", "active")}),
        (
            "When it has slots",
            {
                "fields": ("weekdays", "day_start", "day_end", "slot_minutes"),
                "description": "London times. A change counts for slots that are made from now on: "
                "those that are there stay as they are.",
            },
        ),
        ("How and where", {"fields": ("delivery_channel", "location_name")}),
        (
            "Practitioner",
            {
                "fields": (
                    *("practitioner_prefix", "practitioner_given", "practitioner_family"),
                    *("practitioner_gender", "practitioner_role", "practitioner_role_code"),
                ),
                "description": "Who sees the patients: everybody who searches for times is told. Leave it "
                "empty where it is not always the same person.",
            },
        ),
    )
    labels = {
        "active": "In use",
        "slot_minutes": "Minutes a slot",
        "delivery_channel": "How patients are seen",
        "location_name": "Place",
        "practitioner_prefix": "Title",
        "practitioner_given": "First names",
        "practitioner_family": "Family name",
        "practitioner_gender": "Gender",
        "practitioner_role": "Role",
        "practitioner_role_code": "Code of the role",
    }
    help_texts = {
        "service": "It cannot be changed later: the slots belong to the service too.",
        "name": "What your people call it, such as: Room 2.",
        "active": "When it is not, none of its slots is offered; what is booked stays booked.",
        "slot_minutes": "From 5 to 480.",
        "delivery_channel": "Sent with each slot. Empty: nothing is said.",
        "location_name": "Such as: Room 2, first floor.",
        "practitioner_role": "In words, such as: General practitioner.",
        "practitioner_role_code": "The SNOMED code of the role.",
    }
    actions = ("make_two_weeks", "make_four_weeks")

    @admin.display(description="days")
    def days(self, schedule: Schedule) -> str:
        if len(schedule.weekdays) == len(_WEEKDAYS):
            return "Every day"
        return ", ".join(_WEEKDAYS[day][:3] for day in sorted(schedule.weekdays))

    @admin.display(description="hours (London)")
    def hours(self, schedule: Schedule) -> str:
        return Hours(schedule.day_start, schedule.day_end).words

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

    def _will_make(self, schedule: Schedule, days: int) -> str:
        """What `make_slots` would do, for the page that asks first."""
        if schedule.clinic_id:
            return "stays as it is: its clinic makes its slots"
        if not schedule.active:
            return "stays as it is: it is not in use"
        today = timezone.now().astimezone(LONDON).date()
        made = foreseen(schedule=schedule, first_day=today, days=days)
        also = f"; {made.left_out} times are left out, as other slots run into them" if made.left_out else ""
        if not made.made:
            return f"stays as it is: it has the slots of its pattern{also}"
        return f"gets {made.made} new {'slot' if made.made == 1 else 'slots'}{also}"

    @admin.action(description="Make slots for the next 14 days", permissions=["change"])
    @confirmed(lambda page, _request, schedule: page._will_make(schedule, 14))
    def make_two_weeks(self, request: HttpRequest, chosen: QuerySet[Schedule]) -> None:
        self._make(request, chosen, 14)

    @admin.action(description="Make slots for the next 28 days", permissions=["change"])
    @confirmed(lambda page, _request, schedule: page._will_make(schedule, 28))
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


def _will_move(slot: Slot, before: SlotStatus, word: str) -> str:
    return f"will be {word}" if slot.status == before else f"stays {slot.get_status_display().lower()}"


@admin.register(Slot)
class SlotAdmin(StaffAdmin):
    owner = "service__provider"
    purpose = "Single times, to block or free some of them. For a whole stretch, use the diary."
    list_display = ("start", "ends", "status", "diary", "service", "updated_at")
    sortable_by = ("start", "service", "status", "updated_at")
    list_filter = (("start", DaysFilter), "status", ("service", ThereFilter))
    date_hierarchy = "start"
    list_select_related = ("service", "schedule")
    search_fields = ("schedule__name", "service__name", "=service__service_id")
    search_help_text = "The name of a diary or service, or a DoS service id"
    fieldsets = (
        (None, {"fields": ("start", "end", "status")}),
        ("Where it belongs", {"fields": ("service", "schedule", "standing", "updated_at")}),
    )
    readonly_fields = ("schedule", "service", "start", "end", "status", "standing", "updated_at")
    labels = {
        "start": "Starts",
        "end": "Ends",
        "schedule": "Diary",
        "standing": "How it came to be",
        "updated_at": "Last changed",
    }
    help_texts = {
        "status": "Free slots are offered. To block or free some, choose them in the list. A booked slot is "
        "changed with its booking, in the diary.",
        "standing": "What was added by hand is not withdrawn when the plan changes.",
    }
    actions = ("block", "free")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def named(self, row: Slot) -> str:
        return f"{row}, {row.service.name}: {row.schedule.name}"

    @admin.display(description="ends", ordering="end")
    def ends(self, slot: Slot) -> str:
        return format_time(slot.end)

    @admin.display(description="diary")
    def diary(self, slot: Slot) -> str:
        return slot.schedule.name

    @admin.action(description="Block the chosen slots", permissions=["change"])
    @confirmed(lambda _page, _request, slot: _will_move(slot, SlotStatus.FREE, "blocked"))
    def block(self, request: HttpRequest, chosen: QuerySet[Slot]) -> None:
        self._move(request, chosen, block_slots, "blocked")

    @admin.action(description="Free the chosen slots", permissions=["change"])
    @confirmed(lambda _page, _request, slot: _will_move(slot, SlotStatus.BUSY_UNAVAILABLE, "freed"))
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


class HistoryInline(ShownSteps, admin.TabularInline):  # type: ignore[type-arg]  # no generics at run time
    # With the booking itself: the history has no permission of its own.
    shown_with = ("bookings.view_booking",)
    model = BookingStatusChange
    event_words = EVENT_WORDS

    @staticmethod
    def status_words(status: str) -> str:
        return BookingStatus(status).label


@admin.register(Booking)
class BookingAdmin(PatientRecordAdmin):
    purpose = "Every appointment that was asked for, with its history."
    list_display = ("shown_reference", "direction", "status", "start", "service", "sender_name", "created_at")
    sortable_by = ("direction", "status", "start", "sender_name", "created_at")
    list_filter = (
        ("start", DaysFilter),
        *("status", "direction", ("service", ThereFilter)),
    )
    list_select_related = ("service",)
    search_fields = ("=reference", "=id", "=remote_id", "=journey__correlation_id")
    search_help_text = (
        "The patient's name or NHS number, a whole reference, an appointment id or a correlation id"
    )
    inlines = (HistoryInline,)
    # Who may know who the patient is: those who see received bookings or patient records.
    knows_patients = ("bookings.view_received_bookings", "patients.view_patient")
    sees_sent = "bookings.view_sent_bookings"
    facts = (
        ("Appointment", ("shown_reference", "status", "service", "start", "end")),
        ("Who booked", ("direction", "sender_name", "sender_ods_code", "use_case")),
        ("What became of it", ("explanation", "patient_told_at")),
        ("This record", ("version", "created_at", "updated_at")),
    )
    labels = {
        "start": "Starts",
        "end": "Ends",
        "use_case": "Use case",
        "explanation": "What was said",
        "patient_told_at": "Patient told",
        "version": "Version",
        "created_at": "Made",
        "updated_at": "Last changed",
    }
    help_texts = {
        "status": "As our people see it; what the other side has been told is in the messages.",
        "direction": "Received: others booked with your service. Sent: your people booked elsewhere.",
        "sender_ods_code": "Of the organisation that booked.",
        "use_case": "The code of the Booking and Referral Standard for the way that this booking goes.",
        "explanation": "Why it was refused, or is not known, in words.",
        "patient_told_at": "When somebody recorded that the patient knows.",
        "version": "How often it was changed.",
    }
