"""The patient was expected and did not come."""

from typing import Any

from bars_portal.exchange.fhir.codes import SAFEGUARDING
from bars_portal.nhsuk.dates import in_london
from bars_portal.nhsuk.forms import DateField, RadiosField, SelectField, TextareaField
from referrals.answer_forms.base import AnswerForm, clean_time, london_moment, time_field
from referrals.content_answers import NonAttendance

UNSPECIFIED, NONE_FOUND = "U", "861931000000100"


def concerns() -> list[tuple[str, str]]:
    """Safeguarding codes by words; the one that says "nothing found" is no concern."""
    named = [(code, _words(display)) for code, display in SAFEGUARDING.items() if code != NONE_FOUND]
    return sorted(named, key=lambda pair: (pair[0] != UNSPECIFIED, pair[1]))


def _words(display: str) -> str:
    return display.removesuffix(" (finding)").removesuffix(" (situation)")


class NonAttendanceForm(AnswerForm):
    day = DateField(
        label="Day on which the patient was expected",
        missing="Enter the day on which the patient was expected",
        too_late="The day cannot be in the future",
    )
    start = time_field("Expected from", missing="Enter the time from which the patient was expected")
    end = time_field("Expected until", missing="Enter the time until which the patient was expected")
    words = TextareaField(
        label="What happened (optional)",
        hint="For example, what you tried to reach the patient.",
        max_length=300,
        rows=3,
        required=False,
    )
    concern = RadiosField(
        label="Is there a safeguarding concern?",
        options=[("yes", "Yes: warn whoever referred the patient"), ("no", "No")],
        missing="Select whether there is a safeguarding concern",
    )
    safeguarding = SelectField(
        label="The concern", options=concerns, empty_text="Choose the concern", required=False
    )
    safeguarding_words = TextareaField(
        label="The concern in your own words (optional)", max_length=300, rows=3, required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["day"]
        if isinstance(field, DateField):
            field.latest = in_london(self.now).date()

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        start, end = clean_time(self, "start"), clean_time(self, "end")
        if start and end and end <= start:
            self.add_error("end", "Expected until must be later than expected from")
        if cleaned.get("concern") == "yes" and not cleaned.get("safeguarding"):
            self.add_error("safeguarding", "Select the concern")
        cleaned |= {"start_at": start, "end_at": end}
        return super().clean()

    def say(self, cleaned: dict[str, Any]) -> NonAttendance:
        concerned = cleaned["concern"] == "yes"
        return NonAttendance(
            expected_from=london_moment(cleaned["day"], cleaned["start_at"]),
            expected_until=london_moment(cleaned["day"], cleaned["end_at"]),
            words=cleaned["words"].strip(),
            safeguarding_code=cleaned["safeguarding"] if concerned else "",
            safeguarding_words=cleaned["safeguarding_words"].strip() if concerned else "",
        )
