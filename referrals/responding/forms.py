"""Forms of a response: what was typed becomes content or words; all but the outcome of a validation."""

import re
from abc import abstractmethod
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.exceptions import ValidationError

from bars_portal.exchange.fhir.codes import SAFEGUARDING, EncounterStatus, RejectedReason
from bars_portal.nhsuk.dates import LONDON, in_london
from bars_portal.nhsuk.forms import (
    ConfirmField,
    DateField,
    NHSForm,
    RadiosField,
    SelectField,
    TextareaField,
    TextField,
)
from bookings.models import Booking
from referrals.cases.links import standing_bookings
from referrals.cases.models import Case, Referral
from referrals.cases.states import Category
from referrals.cases.words import HOW_FAR
from referrals.parts.base import Incomplete
from referrals.responding.content import CadStatus, NonAttendance, Rejection, ResponseContent
from referrals.responding.policies import NOT_YET_EXPECTED, Decision, is_told

UPRN, METRES = r"[0-9]{1,12}", r"[0-9]{1,7}(\.[0-9]{1,6})?"


def bare(label: object) -> str:
    return str(label).removesuffix(" (optional)")


class NumberField(TextField):
    """Digits of one form, as text: they are kept and go out as they were typed."""

    def __init__(self, label: str, hint: str, pattern: str) -> None:
        super().__init__(label=label, hint=hint, max_length=20, required=False, width=10, inputmode="decimal")
        self._pattern = re.compile(pattern)

    def clean(self, value: Any) -> str:
        text = str(super().clean(value)).strip()
        if text and not self._pattern.fullmatch(text):
            raise ValidationError(f"{bare(self.label)} must be a number", code="format")
        return text


class DecisionForm(NHSForm):
    """`told`: who decides by it is heard by the requester, which the form says in the same words throughout.

    `own_words` names the field whose hint says so.
    """

    own_words = "words"
    hint_more = ""

    def __init__(self, *args: Any, case: Case, now: datetime, decision: Decision, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.case, self.now, self.told = case, now, is_told(case, decision)
        words = self.fields.get(self.own_words)
        if isinstance(words, TextareaField):
            reads = "The requester reads this." if self.told else "The requester does not read this."
            words.hint = f"{reads} {self.hint_more}".strip()


class ResponseForm(DecisionForm):
    """`content()` is there once the form is valid."""

    @abstractmethod
    def say(self, cleaned: dict[str, Any]) -> ResponseContent:
        """The cleaned answers as content. Raises AnswerIncomplete."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self._content: ResponseContent | None = None
        if not self.errors:
            try:
                self._content = self.say(cleaned)
            except Incomplete as missing:
                self.add_error(None, missing.sentence)
        return cleaned

    def content(self) -> ResponseContent:
        if self._content is None:
            raise ValueError("Only a valid form has content.")
        return self._content


def time_field(label: str, *, missing: str) -> TextField:
    return TextField(label=label, missing=missing, hint="24 hours, for example 14:30", max_length=5, width=5)


def clean_time(form: NHSForm, name: str) -> time | None:
    """The time typed, or None with an error at its field."""
    typed = str(form.cleaned_data.get(name) or "").replace(".", ":")
    hours, _, minutes = typed.partition(":")
    plain = typed.isascii() and hours.isdigit() and minutes.isdigit() and len(minutes) == 2
    if plain and int(hours) < 24 and int(minutes) < 60:
        return time(int(hours), int(minutes))
    if typed:
        form.add_error(name, f"{form.fields[name].label} must be a time, like 14:30")
    return None


def london_moment(day: date, at: time) -> datetime:
    """As people on site mean it; of the hour that comes twice, the first."""
    return datetime.combine(day, at, LONDON)


UNREACHED = "unreached"
_NOT_REACHED = "The patient could not be reached."
_REJECTED = [
    (RejectedReason.NOT_AVAILABLE.value, "Nobody is available in the time that was asked for"),
    (UNREACHED, "The patient could not be reached"),
    (RejectedReason.OTHER.value, "Another reason"),
]


class RejectForm(ResponseForm):
    """That the patient was not reached is a reason where somebody was to call them."""

    reason = RadiosField(
        label="Why is this case rejected?", options=_REJECTED, missing="Select why this case is rejected"
    )
    words = TextareaField(
        label="In your own words",
        max_length=300,
        rows=3,
        required=False,
    )
    hint_more = "For another reason it is needed."

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reason = self.fields["reason"]
        if isinstance(reason, RadiosField) and self.case.category is not Category.VALIDATION:
            reason.choices = reason.offer([each for each in _REJECTED if each[0] != UNREACHED])

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if cleaned.get("reason") == RejectedReason.OTHER and not cleaned.get("words", "").strip():
            self.add_error("words", "Say in your own words why the case is rejected")
        return super().clean()

    def say(self, cleaned: dict[str, Any]) -> Rejection:
        if cleaned["reason"] == UNREACHED:
            # The standard has no code for it: the words say so.
            words = f"{_NOT_REACHED} {cleaned['words'].strip()}".strip()
            return Rejection(RejectedReason.OTHER, words)
        return Rejection(RejectedReason(cleaned["reason"]), cleaned["words"].strip())


class CompleteForm(DecisionForm):
    """Mostly for our own books: only ambulance controls have a message for a referral that is done."""

    words = TextareaField(
        label="What was done (optional)",
        max_length=300,
        rows=3,
        required=False,
    )


CONSULTATION = {
    "held": "Yes",
    "unreached": "No: the patient could not be reached",
    "declined": "No: the patient did not want it",
    "elsewhere": "No: the patient was helped elsewhere",
    "unsuitable": "No: the pharmacy cannot help with this",
}
_OUTCOMES = {
    "advice": "Advice only",
    "supply": "A medicine was supplied",
    "signposted": "Sent to another service, without urgency",
    "escalated": "Escalated: the patient needs to be seen urgently elsewhere",
    "none": "Nothing further",
}


class PharmacyCompleteForm(CompleteForm):
    """What became of a referral to a pharmacy; all of it in words, for nobody outside is told."""

    field_order = ("consultation", "outcome", "escalated_to", "words")
    consultation = RadiosField(
        label="Was there a consultation?",
        options=list(CONSULTATION.items()),
        missing="Select whether there was a consultation",
    )
    outcome = RadiosField(
        label="What was the outcome?", options=list(_OUTCOMES.items()), missing="Select the outcome"
    )
    escalated_to = TextField(
        label="Escalated to", hint="The service, and whom you spoke to", max_length=60, required=False
    )
    # All of it is one line of the history, which has 300 characters.
    words = TextareaField(label="What was done (optional)", max_length=100, rows=2, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("outcome") == "escalated" and not cleaned.get("escalated_to", "").strip():
            self.add_error("escalated_to", "Say to whom the patient was escalated")
        return cleaned

    def said(self) -> str:
        """Of a valid form."""
        held = CONSULTATION[self.cleaned_data["consultation"]]
        to, words = self.cleaned_data["escalated_to"].strip(), self.cleaned_data["words"].strip()
        parts = [f"Consultation: {held}", _OUTCOMES[self.cleaned_data["outcome"]]]
        return ". ".join([*parts, *(f"To {to}" for _ in range(bool(to))), *filter(None, [words])])


class CadStatusForm(ResponseForm):
    status = RadiosField(label="How far are you?", options=[], missing="Select how far you are")
    words = TextareaField(label="In your own words (optional)", max_length=300, rows=3, required=False)

    def __init__(self, *args: Any, possible: Sequence[EncounterStatus], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["status"]
        if isinstance(field, RadiosField):
            field.choices = field.offer([(each.value, HOW_FAR[each]) for each in possible])

    def say(self, cleaned: dict[str, Any]) -> CadStatus:
        return CadStatus(EncounterStatus(cleaned["status"]), cleaned["words"].strip())


class NoteForm(NHSForm):
    text = TextareaField(
        label="New note",
        hint="Only colleagues here read it.",
        missing="Write something first",
        max_length=2000,
        rows=3,
    )


def _begun(case: Case, now: datetime) -> Booking | None:
    """The appointment that the patient may have missed: of those that go with it, the last one that began."""
    standing = standing_bookings(case) if isinstance(case, Referral) else []
    return next((each for each in reversed(standing) if each.start <= now), None)


def _as_typed(appointment: Booking | None) -> dict[str, Any]:
    if appointment is None:
        return {}
    start, end = in_london(appointment.start), in_london(appointment.end)
    overnight = end.date() > start.date()
    return {"day": start.date(), "start": f"{start:%H:%M}", "end": f"{end:%H:%M}", "overnight": overnight}


UNSPECIFIED, NONE_FOUND = "U", "861931000000100"


def concerns() -> list[tuple[str, str]]:
    """Safeguarding codes by words; the one that says "nothing found" is no concern."""
    named = [(code, _words(display)) for code, display in SAFEGUARDING.items() if code != NONE_FOUND]
    return sorted(named, key=lambda pair: (pair[0] != UNSPECIFIED, pair[1]))


def _words(display: str) -> str:
    return display.removesuffix(" (finding)").removesuffix(" (situation)")


_ENDS_FIRST = "Expected until must be later than expected from. Tick the box if it is on the next day"


class NonAttendanceForm(ResponseForm):
    day = DateField(
        label="Day on which the patient was expected",
        missing="Enter the day on which the patient was expected",
        too_late="The day cannot be in the future",
    )
    start = time_field("Expected from", missing="Enter the time from which the patient was expected")
    end = time_field("Expected until", missing="Enter the time until which the patient was expected")
    overnight = ConfirmField(label="Expected until is on the next day", required=False)
    words = TextareaField(
        label="What happened (optional)",
        max_length=300,
        rows=3,
        required=False,
    )
    hint_more = "Say, for example, how you tried to reach the patient."
    concern = RadiosField(
        label="Is there a safeguarding concern?",
        options=[("yes", "Yes"), ("no", "No")],
        missing="Select whether there is a safeguarding concern",
    )
    safeguarding = SelectField(
        label="The concern", options=concerns, empty_text="Choose the concern", required=False
    )
    safeguarding_words = TextareaField(
        label="The concern in your own words (optional)", max_length=300, rows=3, required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.appointment = _begun(kwargs["case"], kwargs["now"])
        super().__init__(*args, **{"initial": _as_typed(self.appointment), **kwargs})
        day, concern = self.fields["day"], self.fields["concern"]
        if isinstance(day, DateField) and isinstance(concern, RadiosField):
            day.latest = in_london(self.now).date()
            yes = "Yes: warn whoever referred the patient" if self.told else "Yes"
            concern.choices = concern.offer([("yes", yes), ("no", "No")])

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        # Midnight is a time like any other.
        start, end, day = clean_time(self, "start"), clean_time(self, "end"), cleaned.get("day")
        cleaned |= {"start_at": start, "end_at": end}
        if day and start is not None and london_moment(day, start) > self.now:
            self.add_error("start", NOT_YET_EXPECTED)
        if start is not None and end is not None and end <= start and not cleaned["overnight"]:
            self.add_error("end", _ENDS_FIRST)
        if cleaned.get("concern") == "yes" and not cleaned.get("safeguarding"):
            self.add_error("safeguarding", "Select the concern")
        return super().clean()

    def say(self, cleaned: dict[str, Any]) -> NonAttendance:
        last_day = cleaned["day"] + timedelta(days=cleaned["overnight"])
        concerned = cleaned["concern"] == "yes"
        return NonAttendance(
            expected_from=london_moment(cleaned["day"], cleaned["start_at"]),
            expected_until=london_moment(last_day, cleaned["end_at"]),
            words=cleaned["words"].strip(),
            safeguarding_code=cleaned["safeguarding"] if concerned else "",
            safeguarding_words=cleaned["safeguarding_words"].strip() if concerned else "",
        )
