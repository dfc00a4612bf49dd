"""NHS numbers, phone numbers and postcodes: typed as people write them, kept in one form."""

import re
from typing import Any, Literal

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from nhs_number.constants import REGION_SYNTHETIC
from nhs_number.validate import is_valid

from bars_portal.nhsuk.forms.text import TextField, has_control_characters

NHSNumberPolicy = Literal["synthetic", "real", "any"]
_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015]+")
_OUTWARD = r"(?:GIR|[A-Z]{1,2}[0-9][A-Z0-9]?)"
_INWARD = r"[0-9][ABD-HJLNP-UW-Z]{2}"


class NHSNumberField(TextField):
    """Cleans to ten digits ("9434765919") or "".

    `policy` says which ranges count: "synthetic" refuses numbers of real people, "real" refuses test
    numbers, "any" takes both; without it settings.NHS_NUMBER_POLICY decides.
    """

    def __init__(
        self, *, label: str = "NHS number", policy: NHSNumberPolicy | None = None, **options: Any
    ) -> None:
        options.setdefault("hint", "10 digits, for example 999 123 4567")
        super().__init__(
            label=label, max_length=30, inputmode="numeric", width=10, spellcheck=False, **options
        )
        self.policy = policy

    def clean(self, value: Any) -> str:
        text = str(super().clean(value))
        digits = _SEPARATORS.sub("", text)
        if digits:
            self._check(digits)
        return digits

    def _check(self, digits: str) -> None:
        if not re.fullmatch(r"[0-9]+", digits):
            raise ValidationError(f"{self.label} must only contain numbers", code="format")
        if len(digits) != 10:
            raise ValidationError(f"{self.label} must be 10 numbers long", code="length")
        if not is_valid(digits):
            raise ValidationError(f"Check the {self.label}: it has a mistyped number", code="check_digit")
        self._check_range(digits)

    def _check_range(self, digits: str) -> None:
        policy = self.policy or settings.NHS_NUMBER_POLICY
        synthetic = is_valid(digits, for_region=REGION_SYNTHETIC)
        if policy == "synthetic" and not synthetic:
            raise ValidationError(
                "This is not a live service. Enter a test NHS number, one that starts with 9", code="real"
            )
        if policy == "real" and synthetic:
            raise ValidationError("Enter a patient's real NHS number, not a test number", code="synthetic")


class PhoneField(TextField):
    """Cleans to E.164 ("+447700900123") or ""; British unless it starts with +."""

    def __init__(self, *, label: str = "Phone number", **options: Any) -> None:
        options.setdefault("autocomplete", "off")
        super().__init__(label=label, max_length=30, inputmode="tel", input_type="tel", width=20, **options)

    def clean(self, value: Any) -> str:
        text = str(super().clean(value))
        return self._parse(text) if text else ""

    def _parse(self, text: str) -> str:
        try:
            number = phonenumbers.parse(text, "GB")
        except phonenumbers.NumberParseException:
            number = None
        if number is None or number.extension or not phonenumbers.is_possible_number(number):
            raise ValidationError(f"Enter {self._name} like 020 7946 0000 or 07700 900123", code="format")
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

    @property
    def _name(self) -> str:
        return f"a {str(self.label)[:1].lower()}{str(self.label)[1:]}"


class PostcodeField(TextField):
    """Cleans to "LS1 4AP"; with `outward` also to the first half alone, "LS1"."""

    def __init__(self, *, label: str = "Postcode", outward: bool = False, **options: Any) -> None:
        options.setdefault("autocomplete", "off")
        super().__init__(label=label, max_length=12, width=10, spellcheck=False, **options)
        self.outward = outward

    def clean(self, value: Any) -> str:
        text = str(super().clean(value))
        return self._normalise(text) if text else ""

    def _normalise(self, text: str) -> str:
        postcode = normalise_postcode(text, outward=self.outward)
        if not postcode:
            example = "LS1 4AP, or its first half, like LS1" if self.outward else "LS1 4AP"
            raise ValidationError(f"Enter a full UK postcode, like {example}", code="format")
        return postcode


def normalise_postcode(text: str, *, outward: bool = False) -> str:
    """ "ls14ap" -> "LS1 4AP"; "" when it is not a UK postcode (or, with `outward`, its first half)."""
    if has_control_characters(text):
        return ""
    compact = _SEPARATORS.sub("", text).upper()
    whole = re.fullmatch(f"({_OUTWARD})({_INWARD})", compact)
    if whole:
        return f"{whole[1]} {whole[2]}"
    return compact if outward and re.fullmatch(_OUTWARD, compact) else ""
