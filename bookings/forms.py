"""Forms of the booking pages; the patient's own is in bars_portal.patients."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError

from bars_portal.correspondence.reassessment import Reassessed, ReassessedField
from bars_portal.nhsuk.forms import (
    ConfirmField,
    DateField,
    HiddenField,
    NHSForm,
    RadiosField,
    SelectField,
    TextareaField,
)
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
