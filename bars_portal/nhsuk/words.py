"""Identifiers, numbers and the patient banner as people read them."""

from collections.abc import Iterable, Sequence
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
    names = ", ".join(part for part in ((patient.family_name or "").upper(), given) if part)
    title = f" ({patient.prefix})" if patient.prefix else ""
    return (names or "Name not known") + title


def banner_items(patient: PatientFacts, today: date) -> tuple[BannerItem, ...]:
    """Born, gender and NHS number, in the words and order of the NHS patient banner."""
    return (
        BannerItem("Born", _born(patient.birth_date, today)),
        BannerItem("Gender", (patient.gender or NOT_KNOWN).capitalize()),
        _nhs_number(patient),
    )


def _born(birth_date: date | None, today: date) -> str:
    if birth_date is None:
        return NOT_KNOWN
    age = dates.format_age(birth_date, today)
    return dates.format_birth_date(birth_date) + (f" ({age})" if age else "")


def _nhs_number(patient: PatientFacts) -> BannerItem:
    if not patient.nhs_number:
        return BannerItem("NHS No.", NOT_KNOWN)
    note = "Verified" if patient.nhs_number_verified else "Not verified"
    return BannerItem("NHS No.", format_nhs_number(patient.nhs_number), note)


def summary_rows(rows: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in rows if value]
