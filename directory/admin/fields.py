"""Structured values as plain text that staff can type safely."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from django import forms
from django.core.exceptions import ValidationError

from bars_portal.exchange.fhir.identifiers import InvalidIdentifier, ODSCode
from bars_portal.nhsuk.forms.text import normalise_postcode
from directory.hours import InvalidHours, StoredHours, Week, read_week
from directory.hours_text import read_hours, read_spans, write_hours, write_spans

T = TypeVar("T")
_MOST_LINES, _LONGEST_LINE = 8, 100
_MOST_CODES = 500


class _WrittenField(forms.CharField, Generic[T]):
    """Shows a value as text and cleans the text back to the value; a refused text stays as typed."""

    widget = forms.Textarea
    empty: Callable[[], Any] = list

    def __init__(self, *, rows: int = 4, max_length: int = 2_000, **options: Any) -> None:
        super().__init__(
            required=False, max_length=max_length, widget=forms.Textarea(attrs={"rows": rows}), **options
        )

    def write(self, value: T) -> str:
        raise NotImplementedError

    def read(self, text: str) -> T:
        """Raises ValidationError."""
        raise NotImplementedError

    def same(self, one: T, other: T) -> bool:
        return one == other

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else self.write(value or self.empty())

    def clean(self, value: Any) -> Any:
        return self.read(str(super().clean(value)).replace("\r\n", "\n"))

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return not self.same(self.clean(data), initial or self.empty())
        except ValidationError:
            return True


class OpeningHoursField(_WrittenField[StoredHours]):
    """One line a day: "Mon 08:00-20:00"."""

    empty = dict

    def write(self, value: StoredHours) -> str:
        """Hours that another program wrote and nobody can read are shown as not known."""
        return write_hours(value) if _week_of(value) is not None else ""

    def read(self, text: str) -> StoredHours:
        try:
            return read_hours(text)
        except InvalidHours as fault:
            raise ValidationError(str(fault), code="hours") from None

    def same(self, one: StoredHours, other: StoredHours) -> bool:
        """A day left out is the same as a day that is closed."""
        return one == other or (_week_of(one) is not None and _week_of(one) == _week_of(other))


def _week_of(stored: object) -> Week | None:
    try:
        return read_week(stored)
    except InvalidHours:
        return None


class BankHolidayField(_WrittenField[list[list[str]] | None]):
    """The hours of one day: "10:00-16:00", "closed"; empty: not known (None)."""

    def __init__(self, **options: Any) -> None:
        super().__init__(rows=1, max_length=200, **options)

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else self.write(value)

    def write(self, value: list[list[str]] | None) -> str:
        return "" if value is None else write_spans(value)

    def read(self, text: str) -> list[list[str]] | None:
        try:
            return read_spans(text.strip().lower()) if text.strip() else None
        except InvalidHours as fault:
            raise ValidationError(str(fault).replace("Monday: ", ""), code="hours") from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.clean(data) != initial)
        except ValidationError:
            return True


class LinesField(_WrittenField[list[str]]):
    """One item a line."""

    def write(self, value: Sequence[str]) -> str:
        return "\n".join(str(line) for line in value)

    def read(self, text: str) -> list[str]:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if len(lines) > _MOST_LINES or any(len(line) > _LONGEST_LINE for line in lines):
            raise ValidationError(
                f"Enter at most {_MOST_LINES} lines of at most {_LONGEST_LINE} characters.", code="lines"
            )
        return lines


class ODSCodesField(_WrittenField[list[str]]):
    """ODS codes, separated by blanks, commas or lines; each once, in order."""

    def write(self, value: Sequence[str]) -> str:
        return "\n".join(value)

    def read(self, text: str) -> list[str]:
        words = re.split(r"[\s,;]+", text.strip()) if text.strip() else []
        try:
            codes = sorted({ODSCode.parse(word).value for word in words})
        except InvalidIdentifier as fault:
            raise ValidationError(f"{fault}.", code="ods_code") from None
        if len(codes) > _MOST_CODES:
            raise ValidationError(f"Enter at most {_MOST_CODES} codes.", code="most")
        return codes


class WholePostcodeField(forms.CharField):
    """Cleans to "LS1 4AP" or ""."""

    def clean(self, value: Any) -> str:
        text = str(super().clean(value))
        postcode = normalise_postcode(text)
        if text and not postcode:
            raise ValidationError("Enter a full UK postcode, like LS1 4AP.", code="postcode")
        return postcode
