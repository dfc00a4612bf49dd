"""Identifiers and numbers as people read them."""

import phonenumbers


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
