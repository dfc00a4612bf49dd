"""Telephone numbers as messages carry them (ContactPoint.value of a phone or a text message)."""

from __future__ import annotations

import re

import phonenumbers


def dialled_phone(value: object) -> str:
    """A number as messages carry it: 07700 900123 for a British one, 0033 1 ... for a foreign one.

    Digits and blanks, and an extension ("ext. 12"). What cannot be read for certain stays as it was: a number
    must not come to reach somebody else.
    """
    text = str(value or "")
    number = _whole_number(text)
    if number is None:
        return text
    plain = phonenumbers.PhoneNumber()
    plain.merge_from(number)
    plain.extension = None
    style = phonenumbers.PhoneNumberFormat
    if number.country_code == _BRITISH:
        shown = phonenumbers.format_number(plain, style.NATIONAL)
        # A number that no pattern fits is written without its first zero.
        shown = shown if shown.startswith("0") else f"0{phonenumbers.national_significant_number(plain)}"
    else:
        shown = f"00{phonenumbers.format_number(plain, style.INTERNATIONAL)[1:]}"
    extension = f" ext. {number.extension}" if number.extension else ""
    written = " ".join(_NO_DIGITS.sub(" ", shown).split()) + extension
    return written if _whole_number(written) == number else text


_BRITISH = 44
_NO_DIGITS = re.compile(r"[^0-9]+")


def _whole_number(text: str) -> phonenumbers.PhoneNumber | None:
    """Of a text that is one whole number with its first zero or country code, and nothing else."""
    if text.lstrip(" (")[:1] not in ("0", "+"):
        return None
    try:
        number = phonenumbers.parse(text, "GB")
    except phonenumbers.NumberParseException:
        return None
    if not number.extension and any(char.isalpha() for char in text):
        return None
    sound = phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
    return number if sound else None
