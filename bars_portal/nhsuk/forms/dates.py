"""A date in three fields: day, month, year."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple, Unpack

from django import forms
from django.core.exceptions import ValidationError

from bars_portal.nhsuk.dates import format_date
from bars_portal.nhsuk.forms.fields import Given, Worded
from bars_portal.nhsuk.words import lower_first

PARTS = ("day", "month", "year")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONGEST_PART = 20
Limit = date | Callable[[], date]


class DateParts(NamedTuple):
    """What was typed, untouched."""

    day: str = ""
    month: str = ""
    year: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(part for part in PARTS if not getattr(self, part))


class DatePartsWidget(forms.Widget):
    """Reads `<name>-day`, `<name>-month` and `<name>-year`."""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> DateParts:
        return DateParts(*(str(data.get(f"{name}-{part}") or "").strip() for part in PARTS))

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return not any(f"{name}-{part}" in data for part in PARTS)

    def id_for_label(self, id_: str | None, index: str | None = None) -> str:
        return f"{id_}-day" if id_ else ""


class DateField(Worded):
    """Cleans to a date or None. `earliest` and `latest` are dates or functions; also settable on the field.

    Errors carry params["parts"]: the inputs at fault, in order.
    """

    component = "date"
    widget = DatePartsWidget

    def __init__(
        self,
        *,
        label: str,
        earliest: Limit = date(1900, 1, 1),
        latest: Limit = date(2199, 12, 31),
        too_late: str = "",
        **given: Unpack[Given],
    ) -> None:
        super().__init__(label=label, **given)
        self.earliest, self.latest, self.too_late = earliest, latest, too_late

    def prepare_value(self, value: Any) -> DateParts:
        if isinstance(value, date):
            return DateParts(str(value.day), str(value.month), str(value.year))
        return value if isinstance(value, DateParts) else DateParts()

    def clean(self, value: Any) -> Any:
        parts = value if isinstance(value, DateParts) else DateParts()
        if len(parts.missing) == len(PARTS):
            if self.required:
                raise _fault(str(self.error_messages["required"]), PARTS)
            return None
        if parts.missing:
            raise _fault(f"{self.called} must include a {' and a '.join(parts.missing)}", parts.missing)
        return self._within_limits(self._parse(parts))

    def _parse(self, parts: DateParts) -> date:
        day, month, year = _number(parts.day), _month(parts.month), _number(parts.year)
        numbers = {"day": day, "month": month, "year": year}
        limits = {"day": 31, "month": 12, "year": 9999}
        wrong = tuple(part for part in PARTS if not 1 <= numbers[part] <= limits[part])
        if not wrong and year < 1000:
            raise _fault(f"Year of {lower_first(self.called)} must have 4 numbers, like 1984", ("year",))
        try:
            return date(year, month, day)
        except (ValueError, OverflowError):
            raise _fault(f"{self.called} must be a real date", wrong or ("day",)) from None

    def _within_limits(self, day: date) -> date:
        earliest, latest = _resolve(self.earliest), _resolve(self.latest)
        if day < earliest:
            raise _fault(f"{self.called} must be on or after {format_date(earliest)}", ("year",))
        if day > latest:
            message = self.too_late or f"{self.called} must be on or before {format_date(latest)}"
            raise _fault(message, _differing(day, latest))
        return day


class PartlyKnownDateField(DateField):
    """A date as far as it is known: cleans to a FHIR date, "1984-07-14", "1984-07" or "1984", or to "".

    A day without its month is a slip: the month is asked for.
    """

    def prepare_value(self, value: Any) -> DateParts:
        if isinstance(value, str) and value:
            year, month, day = (*value.split("-"), "", "")[:3]
            return DateParts(day.lstrip("0"), month.lstrip("0"), year)
        return super().prepare_value(value)

    def clean(self, value: Any) -> Any:
        parts = value if isinstance(value, DateParts) else DateParts()
        if parts.day or not parts.year:
            known = super().clean(value)
            return known.isoformat() if known else ""
        # Within the year or the month of a limit any day may be meant.
        first = self._parse(DateParts("1", parts.month or "1", parts.year))
        earliest, latest = _resolve(self.earliest), _resolve(self.latest)
        known = first.isoformat()[: len("1984-07" if parts.month else "1984")]
        if known < earliest.isoformat()[: len(known)] or known > latest.isoformat()[: len(known)]:
            self._within_limits(first)
        return known


def _fault(message: str, parts: tuple[str, ...]) -> ValidationError:
    return ValidationError(message, code="date", params={"parts": parts})


def _differing(day: date, limit: date) -> tuple[str, ...]:
    return ("year",) if day.year != limit.year else PARTS


def _resolve(limit: Limit) -> date:
    return limit() if callable(limit) else limit


def _number(text: str) -> int:
    """Digits as a number; 0, which no part may be, for anything else."""
    plain = text.isascii() and text.isdigit() and len(text) <= _LONGEST_PART
    return int(text) if plain else 0


def _month(text: str) -> int:
    """7, 07, jul or July."""
    name = text[:3].lower()
    if name in _MONTHS and text.isalpha() and len(text) <= 9:
        return _MONTHS.index(name) + 1
    return _number(text)
