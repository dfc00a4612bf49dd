"""Identifiers, numbers and the patient banner as people read them."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple, Protocol

import phonenumbers

from bars_portal.nhsuk import dates


def format_nhs_number(value: object) -> str:
    """943 476 5919; anything that is not ten digits comes back as it was."""
    text = str(value or "")
    digits = text.replace(" ", "")
    if len(digits) != 10 or not digits.isdecimal():
        return text
    return f"{digits[:3]} {digits[3:6]} {digits[6:]}"


def format_phone(value: object) -> str:
    """07700 900123 for a British number, +33 ... for a foreign one, unreadable ones as they were."""
    text = str(value or "")
    try:
        number = phonenumbers.parse(text, "GB")
    except phonenumbers.NumberParseException:
        return text
    style = phonenumbers.PhoneNumberFormat
    if number.country_code != 44:
        return phonenumbers.format_number(number, style.INTERNATIONAL)
    shown = phonenumbers.format_number(number, style.NATIONAL)
    # A number that no pattern fits would lose its first zero, and could not be called.
    return shown if shown.startswith("0") else text


def lower_first(text: str) -> str:
    """A label inside a sentence: "Family name" -> "family name", "NHS number" stays."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


NOT_KNOWN = "Not known"


class PatientFacts(Protocol):
    """Any object with these attributes: a model, a dataclass, a mapped message."""

    @property
    def family_name(self) -> str: ...
    @property
    def given_names(self) -> str | Sequence[str]: ...
    @property
    def prefix(self) -> str: ...
    @property
    def birth_date(self) -> date | None: ...
    @property
    def birth_partly(self) -> str: ...
    @property
    def died(self) -> str: ...
    @property
    def gender(self) -> str: ...
    @property
    def nhs_number(self) -> str: ...
    @property
    def nhs_number_verified(self) -> bool: ...


class BannerItem(NamedTuple):
    label: str
    value: str
    note: str = ""


def banner_name(patient: PatientFacts) -> str:
    """FAMILY NAME, Given (Title)"""
    given = patient.given_names or ""
    given = given if isinstance(given, str) else " ".join(given)
    title = f" ({patient.prefix})" if patient.prefix else ""
    return listed_name(patient.family_name, given) + title


def listed_name(family_name: str, given_names: str, died: str = "") -> str:
    """FAMILY NAME, Given: how lists name a patient; that they died is said wherever they are named."""
    names = ", ".join(part for part in ((family_name or "").upper(), given_names) if part)
    return (names or "Name not known") + (" (has died)" if died else "")


# They say which way to read on: within a name they would turn the rest of the line round.
_DIRECTION_MARKS = dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))


def without_direction_marks(text: str) -> str:
    """For showing only: what is stored keeps them."""
    return text if text.isascii() else text.translate(_DIRECTION_MARKS)


def with_direction_marks_told(text: str) -> str:
    """Each as its escape in JSON: where a message is shown as it came."""
    return text if text.isascii() else text.translate({mark: f"\\u{mark:04x}" for mark in _DIRECTION_MARKS})


def banner_items(patient: PatientFacts, today: date) -> tuple[BannerItem, ...]:
    """Born, died, gender and NHS number, in the words and order of the NHS patient banner."""
    return (
        BannerItem("Born", _born(patient, today)),
        *_died(patient),
        BannerItem("Gender", (patient.gender or NOT_KNOWN).capitalize()),
        _nhs_number(patient),
    )


def _born(patient: PatientFacts, today: date) -> str:
    """As far as it is known; the age of who lives."""
    if patient.birth_date is None:
        return dates.format_partly(patient.birth_partly) or NOT_KNOWN
    age = "" if patient.died else dates.format_age(patient.birth_date, today)
    return dates.format_birth_date(patient.birth_date) + (f" ({age})" if age else "")


def _died(patient: PatientFacts) -> Iterator[BannerItem]:
    """With the age then, where both days are known."""
    if not patient.died:
        return
    try:
        day = date.fromisoformat(patient.died[:10])
    except ValueError:
        known = patient.died if patient.died[:1].isdigit() else ""
        yield BannerItem("Died", dates.format_partly(known) or "Date not known")
        return
    age = dates.format_age(patient.birth_date, day) if patient.birth_date else ""
    yield BannerItem("Died", dates.format_birth_date(day) + (f" ({age})" if age else ""))


def _nhs_number(patient: PatientFacts) -> BannerItem:
    if not patient.nhs_number:
        return BannerItem("NHS No.", NOT_KNOWN)
    note = "Verified" if patient.nhs_number_verified else "Not verified"
    return BannerItem("NHS No.", format_nhs_number(patient.nhs_number), note)


def summary_rows(rows: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in rows if value]
