"""Forms of the booking pages; the patient's own is in bars_portal.patients."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.exceptions import ValidationError

from bars_portal.correspondence.reassessment import Reassessed, ReassessedField
from bars_portal.nhsuk.dates import LONDON, london_midnight
from bars_portal.nhsuk.forms import (
    CheckboxesField,
    ConfirmField,
    DateField,
    HiddenField,
    NHSForm,
    Option,
    RadiosField,
    SelectField,
    TextareaField,
    TextField,
)
from bookings.forms.clinics import ClockField, WholeField, hours_between
from bookings.models import Closing
from bookings.models.plan import day_times
from bookings.slots import FURTHEST

OTHER = "other"
CANCEL_REASONS = [
    ("patient", "The patient asked for it"),
    ("condition", "The patient's condition changed"),
    ("mistake", "It was booked by mistake"),
    (OTHER, "Another reason"),
]


class FirstDayForm(NHSForm):
    """Which days to show. An answer that makes no sense is told, and today is shown."""

    first_day = DateField(
        label="Show times from",
        called="The first day",
        hint="Day, month and year, within the next 6 months",
        too_late="The date must be within the next 6 months",
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["first_day"]
        if isinstance(field, DateField):
            field.earliest, field.latest = today, today + FURTHEST


class ChosenSlotForm(NHSForm):
    """`slot` is "<Slot.id>|<start>": the search is repeated for the day of its start."""

    slot = HiddenField(max_length=120)
    use_case = HiddenField(max_length=20, required=False)


class CancelForm(NHSForm):
    reason = RadiosField(
        label="Why is the appointment being cancelled?",
        options=CANCEL_REASONS,
        missing="Select why the appointment is being cancelled",
    )
    details = TextareaField(label="More about the reason (optional)", max_length=200, rows=3, required=False)

    def words(self) -> str:
        """The reason as it is recorded; only of a valid form."""
        label = dict(CANCEL_REASONS)[self.cleaned_data["reason"]]
        details = " ".join(self.cleaned_data["details"].split())
        return f"{label}. {details}".strip() if details else label


class RebookForm(CancelForm):
    """`refers_anew`: a referral goes anew with the new appointment, as it was."""

    reassessed = ReassessedField()

    def __init__(self, *args: Any, refers_anew: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._refers_anew = refers_anew

    def clean_reassessed(self) -> str:
        answer = str(self.cleaned_data["reassessed"])
        if self._refers_anew and answer == Reassessed.CHANGED:
            raise ValidationError(
                "Refer again first, with what has changed: the referral would go out as it was",
                code="changed",
            )
        return answer


class ReassessedForm(NHSForm):
    """Of an appointment in the place of one that was cancelled before."""

    reassessed = ReassessedField()


class DiaryForm(NHSForm):
    """Which day of the diary."""

    day = DateField(label="Day", hint="Day, month and year", required=False)


class ApprovalForm(NHSForm):
    """For a time outside the time frame. `clinicians` (key, name): None for a clinician, who confirms."""

    approver = SelectField(
        label="Clinician who approves this time",
        hint="Ask them before you go on. Their name is recorded.",
        options=[],
        empty_text="Select a clinician",
        missing="Select the clinician who approves this time",
    )
    confirmed = ConfirmField(
        label="I have assessed that this time is safe for the patient",
        missing="Confirm that this time is safe for the patient, or choose another time",
    )
    reason = TextareaField(
        label="Why this time is right although it is outside the time frame",
        missing="Enter why this time is right",
        max_length=200,
        rows=3,
    )

    def __init__(self, *args: Any, clinicians: Sequence[tuple[str, str]] | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["approver" if clinicians is None else "confirmed"]
        field = self.fields.get("approver")
        if isinstance(field, SelectField) and clinicians is not None:
            field.choices = field.offer([("", "Select a clinician"), *clinicians])


class RangeForm(NHSForm):
    """Block or free a stretch of one or several diaries: `start` and `end` are aware when it is valid."""

    act = RadiosField(
        label="What should happen?",
        options=[
            Option("block", "Block: offer nothing", "What is booked stays, and you see who it is first"),
            Option("free", "Free: offer again what is blocked"),
        ],
    )
    diaries = CheckboxesField(label="Diaries", options=[])
    first_day = DateField(label="First day")
    from_time = ClockField(label="From", called="The time from which", hint="Like 13:00", label_size="s")
    last_day = DateField(label="Last day (optional)", hint="Leave it empty for the same day", required=False)
    to_time = ClockField(
        label="To",
        called="The time up to which",
        hint="Like 17:30; 24:00 is the end of the day",
        label_size="s",
    )
    reason = TextField(
        label="Reason (optional)",
        hint="Colleagues see it as long as the time is blocked, and on the audit trail. Senders do not",
        max_length=200,
        required=False,
    )

    def __init__(self, *args: Any, diaries: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["diaries"], diaries)

    def clean(self) -> dict[str, Any]:
        told = super().clean() or self.cleaned_data
        first, begin, end = told.get("first_day"), told.get("from_time"), told.get("to_time")
        if first and begin and end:
            self.start = moment_of(first, begin)
            self.end = moment_of(told.get("last_day") or first, end)
            if self.end <= self.start:
                self.add_error("to_time", "The end must be after the start")
            elif self.end - self.start > timedelta(days=366):
                self.add_error("last_day", "The last day must be within a year of the first day")
        return told


class AddSlotsForm(NHSForm):
    """Slots beside the plan: `times` when it is valid."""

    diary = SelectField(label="Diary", options=[], empty_text="Select a diary", missing="Select the diary")
    day = DateField(label="Day")
    from_time = ClockField(label="First slot starts", hint="Like 18:00", label_size="s")
    to_time = ClockField(label="Last slot ends by", hint="Like 19:00", label_size="s")
    minutes = WholeField(label="Minutes a slot", least=5, most=480)

    def __init__(self, *args: Any, diaries: Sequence[tuple[str, str]], today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["diary"], [("", "Select a diary"), *diaries])
        field = self.fields["day"]
        if isinstance(field, DateField):
            field.earliest, field.latest = today, today + timedelta(days=366)

    def clean(self) -> dict[str, Any]:
        told = super().clean() or self.cleaned_data
        if not self.errors:
            hours = hours_between(told["from_time"], told["to_time"])
            self.times = list(day_times(told["day"], [hours] if hours else [], int(told["minutes"])))
            if not self.times:
                self.add_error("to_time", "No slot of this length fits between these times")
        return told


class MoveForm(NHSForm):
    """`slots` (key, words): the free times of the day that is shown."""

    slot = RadiosField(label="New time", options=[], missing="Select the new time", small=True)
    reason = TextField(label="Reason", max_length=120, hint="It is kept in the history")

    def __init__(self, *args: Any, slots: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["slot"], slots)


class CancelReceivedForm(NHSForm):
    reason = TextareaField(
        label="Why does the service cancel?",
        hint="The sender reads it when they read the booking. Do not name the patient.",
        max_length=200,
        rows=3,
        missing="Enter why the service cancels",
    )


class NoteForm(NHSForm):
    note = TextareaField(label="Note for colleagues", max_length=280, rows=3, missing="Enter the note")


class CallForm(NHSForm):
    spoke_to = TextField(
        label="Who did you speak to?", called="Who you spoke to", missing="Enter who you spoke to"
    )


class FeedForm(NHSForm):
    """Both are settled: which service, and for how long the address works."""

    service = SelectField(label="Service", options=[], empty_text="Select a service")
    days = RadiosField(
        label="How long should the address work?",
        options=[("30", "30 days"), ("90", "90 days"), ("365", "1 year")],
    )

    def __init__(self, *args: Any, services: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["service"], [("", "Select a service"), *services])


class CapacityForm(NHSForm):
    """From when on a manager wants to know that a service runs out of times."""

    service = SelectField(label="Service", options=[], empty_text="Select a service")
    least = WholeField(
        label="Tell me when there are fewer free slots than",
        called="The number of free slots",
        missing="Enter the number of free slots",
        least=1,
        most=1000,
    )
    hours = WholeField(
        label="In the next hours",
        called="The number of hours",
        missing="Enter the number of hours",
        hint="24 is a day, 168 a week",
        least=1,
        most=24 * 28,
    )

    def __init__(self, *args: Any, services: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["service"], [("", "Select a service"), *services])


class CloseWaitingForm(NHSForm):
    """Why nobody needs to look after it any more."""

    reason = RadiosField(
        label="Why is this off the list?",
        options=[(each.value, each.label) for each in Closing if each is not Closing.FOUND],
        missing="Select why this is off the list",
    )


def _offer(field: object, options: Sequence[tuple[str, str]]) -> None:
    if isinstance(field, SelectField | RadiosField | CheckboxesField):
        field.choices = field.offer(list(options))


def moment_of(day: date, clock: str) -> datetime:
    """A time of a London day; 24:00 is the next midnight."""
    if clock == "24:00":
        return london_midnight(day + timedelta(days=1))
    return datetime.combine(day, time.fromisoformat(clock), tzinfo=LONDON)
