"""What every form of an answer does: say what was typed as content, and carry what the person had seen."""

from abc import abstractmethod
from datetime import date, datetime, time
from typing import Any

from bars_portal.nhsuk.dates import LONDON
from bars_portal.nhsuk.forms import NHSForm, TextField
from referrals.content_answers import AnswerContent, AnswerIncomplete
from referrals.models import Case


class AnswerForm(NHSForm):
    """`content()` is there once the form is valid."""

    def __init__(self, *args: Any, case: Case, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.case, self.now = case, now

    @abstractmethod
    def say(self, cleaned: dict[str, Any]) -> AnswerContent:
        """The cleaned answers as content. Raises AnswerIncomplete."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self._content: AnswerContent | None = None
        if not self.errors:
            try:
                self._content = self.say(cleaned)
            except AnswerIncomplete as missing:
                self.add_error(None, missing.sentence)
        return cleaned

    def content(self) -> AnswerContent:
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
