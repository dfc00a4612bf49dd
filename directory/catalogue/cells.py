"""The cells of a list of services: each column's text as the value that the directory keeps."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.fhir.identifiers import InvalidIdentifier, ODSCode
from bars_portal.nhsuk.forms.text import normalise_postcode
from directory.hours import InvalidHours, StoredHours
from directory.hours_text import read_hours, read_spans

LONGEST_NAME = 200
# Values of directory.models.ServiceType, which a test holds to it.
TYPES = ("ed", "utc", "cas", "pharmacy", "ambulance", "hub", "other")
_EMPTY = "-"
_YES_NO = {
    "yes": True,
    "true": True,
    "y": True,
    "1": True,
    "no": False,
    "false": False,
    "n": False,
    "0": False,
}
_MOST_PARTS, _LONGEST_PART = 100, 100
_MOST_MILES = 1_000
_LONGEST_REPEATED = 500


class BadCell(ValueError):
    """The cell cannot be understood; the message says what belongs there."""


def _parts(text: str) -> list[str]:
    """Values separated by semicolons."""
    parts = [] if text == _EMPTY else [part.strip() for part in text.split(";") if part.strip()]
    if len(parts) > _MOST_PARTS or any(len(part) > _LONGEST_PART for part in parts):
        raise BadCell(f"at most {_MOST_PARTS} values of at most {_LONGEST_PART} characters")
    return parts


def _line(longest: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if len(text) > longest or not text.isprintable():
            raise BadCell(f"at most {longest} characters on one line")
        return "" if text == _EMPTY else text

    return read


def _yes_no(text: str) -> bool:
    if text.lower() not in _YES_NO:
        raise BadCell("yes or no")
    return _YES_NO[text.lower()]


def _type(text: str) -> str:
    if text.lower() not in TYPES:
        raise BadCell(f"the type is one of {', '.join(TYPES)}")
    return text.lower()


def _postcode(text: str) -> str:
    postcode = "" if text == _EMPTY else normalise_postcode(text)
    if not postcode and text != _EMPTY:
        raise BadCell("a full UK postcode, like LS1 4AP")
    return postcode


def _use_cases(text: str) -> list[str]:
    codes = [part.lower() for part in _parts(text)]
    unknown = [code for code in codes if UseCase.lookup(code) is None]
    if unknown:
        raise BadCell(f'there is no use case "{unknown[0][:20]}"')
    return sorted(set(codes))


def _callers(text: str) -> list[str]:
    try:
        return sorted({ODSCode.parse(part).value for part in _parts(text)})
    except InvalidIdentifier as problem:
        raise BadCell(str(problem)) from None


def _hours(text: str) -> StoredHours:
    if text == _EMPTY:
        return {}
    try:
        return read_hours(re.sub(r"\s*;\s*", "\n", text))
    except InvalidHours as problem:
        raise BadCell(str(problem)) from None


def _bank_holidays(text: str) -> list[list[str]] | None:
    if text == _EMPTY:
        return None
    try:
        return read_spans(text.strip().lower())
    except InvalidHours as problem:
        raise BadCell(str(problem)) from None


def _miles(text: str) -> float | None:
    if text == _EMPTY:
        return None
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", text) or float(text) > _MOST_MILES:
        raise BadCell(f"a number of miles up to {_MOST_MILES:,}, like 12.5")
    return float(text)


def read_cell(column: str, text: str) -> Any:
    """The value of a cell that says something. Raises BadCell.

    Lists repeat themselves: what was read once is the same value again, which nobody changes.
    """
    return _read_once(column, text) if len(text) <= _LONGEST_REPEATED else READERS[column](text)


@lru_cache(maxsize=10_000)
def _read_once(column: str, text: str) -> Any:
    return READERS[column](text)


# By column, which is also the name of the model's field.
READERS: dict[str, Callable[[str], Any]] = {
    "service_type": _type,
    "active": _yes_no,
    "address_lines": _parts,
    "postcode": _postcode,
    "phone": _line(40),
    "accepted_use_cases": _use_cases,
    "takes_bookings": _yes_no,
    "takes_referrals": _yes_no,
    "requires_booking": _yes_no,
    "allowed_callers": _callers,
    "opening_hours": _hours,
    "bank_holiday_hours": _bank_holidays,
    "referral_roles": lambda text: [part[:60] for part in _parts(text)],
    "catchment_miles": _miles,
}
