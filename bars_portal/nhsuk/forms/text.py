"""Free text, NHS numbers, phone numbers and postcodes: typed as people write them, kept in one form."""

import re
import unicodedata
from typing import Any, Literal

import phonenumbers
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from nhs_number.constants import REGION_SYNTHETIC
from nhs_number.validate import is_valid

from bars_portal.nhsuk.words import lower_first

# Free text: what people may type anywhere, and the words that refuse the rest.


# Invisible characters that reorder what the reader sees; a name never needs them.
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LINE_BREAKS = frozenset("\n\t")


def has_control_characters(text: str, *, allow_lines: bool = False) -> bool:
    """True for null bytes, control characters, lone surrogates and characters that reorder the text."""
    allowed = _LINE_BREAKS if allow_lines else frozenset()
    return any(
        (unicodedata.category(char) in ("Cc", "Cs") and char not in allowed) or char in _REORDERING
        for char in text
    )


class Worded:
    """What every field of the house adds to Django's: its words, and how it looks."""

    component: str = "input"
    hint: str
    options: dict[str, Any]

    @property
    def drawn_by(self) -> str:
        """The template of this field's component."""
        return f"components/forms/{self.component}.jinja"

    def word(self, *, label: str, hint: str, missing: str, **options: Any) -> dict[str, str]:
        """Keeps hint and look; returns Django's error_messages with our sentence for an empty field."""
        self.hint = hint
        self.options = options
        return {"required": missing or f"Enter {lower_first(label)}"}


class TextField(Worded, forms.CharField):
    """One line of text. `missing` is the sentence for an empty field, `too_long` is made from the label."""

    widget: type[forms.Widget] = forms.TextInput
    allow_lines = False

    def __init__(
        self,
        *,
        label: str,
        hint: str = "",
        missing: str = "",
        required: bool = True,
        max_length: int = 100,
        min_length: int | None = None,
        autocomplete: str = "",
        inputmode: str = "",
        width: int | None = None,
        label_size: str = "s",
        classes: str = "",
        spellcheck: bool | None = None,
        initial: str | None = None,
        input_type: str = "text",
    ) -> None:
        messages = self.word(
            label=label,
            hint=hint,
            missing=missing,
            autocomplete=autocomplete,
            inputmode=inputmode,
            width=width,
            label_size=label_size,
            classes=classes,
            spellcheck=spellcheck,
            type=input_type,
        )
        super().__init__(label=label, required=required, initial=initial, error_messages=messages)
        # Django's own length and null validators would speak in other words.
        self.validators = []
        self.max_length = max_length
        self.min_length = min_length
        self.template_name = self.drawn_by

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return str(text).replace("\r\n", "\n").replace("\r", "\n") if self.allow_lines else str(text)

    def validate(self, value: Any) -> None:
        super().validate(value)
        if has_control_characters(value, allow_lines=self.allow_lines):
            raise ValidationError(f"{self.label} contains characters that cannot be used", code="characters")
        if self.max_length is not None and len(value) > self.max_length:
            raise ValidationError(
                f"{self.label} must be {self.max_length} characters or fewer", code="max_length"
            )
        if value and self.min_length is not None and len(value) < self.min_length:
            raise ValidationError(
                f"{self.label} must be {self.min_length} characters or more", code="min_length"
            )


class TextareaField(TextField):
    """Several lines of text; line breaks arrive as \\n."""

    component = "textarea"
    widget = forms.Textarea
    allow_lines = True

    def __init__(self, *, rows: int = 5, max_length: int = 2000, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)
        self.options["rows"] = rows


class PasswordField(TextField):
    """A password: never stripped, never sent back to the page."""

    component = "password"
    widget = forms.PasswordInput

    def __init__(
        self, *, autocomplete: str = "current-password", max_length: int = 256, **options: Any
    ) -> None:
        super().__init__(autocomplete=autocomplete, max_length=max_length, **options)
        self.strip = False


class HiddenField(TextField):
    """A value that the page carries; errors of it show in the summary."""

    component = "hidden"
    widget = forms.HiddenInput

    def __init__(self, *, label: str = "This page", required: bool = True, max_length: int = 200) -> None:
        missing = "Something is missing from this page. Go back and try again"
        super().__init__(label=label, required=required, max_length=max_length, missing=missing)


# NHS numbers, phone numbers and postcodes: typed as people write them, kept in one form.


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
