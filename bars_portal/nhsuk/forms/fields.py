"""Free text, NHS numbers, phone numbers and postcodes, kept in one form; one or several of a list."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypedDict, Unpack

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from nhs_number.constants import REGION_SYNTHETIC
from nhs_number.validate import is_valid

from bars_portal.nhsuk.words import lower_first
from bars_portal.values import InvalidValue, compact, read_nhs_number, read_phone, read_postcode

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


class Given(TypedDict, total=False):
    """What a field may be given beside its label; below the line, what only its component reads."""

    hint: str
    # What errors call it, where its label is no name: "The number of hours" of "In the next hours".
    called: str
    # The sentence for an empty field; made from the label when there is none.
    missing: str
    required: bool
    initial: Any
    # ---
    label_size: str
    autocomplete: str
    classes: str
    inline: bool
    inputmode: str
    rows: int
    small: bool
    spellcheck: bool
    type: str
    width: int | None


class Worded(forms.Field):
    """What every field of the house adds to Django's: its words, and how it looks."""

    component = "input"

    def __init__(
        self, *, label: str, django: Mapping[str, Any] = MappingProxyType({}), **given: Unpack[Given]
    ) -> None:
        self.options: dict[str, Any] = {"label_size": "s", **given}
        self.hint = self.options.pop("hint", "")
        self._called = self.options.pop("called", "")
        sentence = self.options.pop("missing", "") or self.sentence_for_nothing(label)
        super().__init__(
            label=label,
            required=self.options.pop("required", True),
            initial=self.options.pop("initial", None),
            error_messages=dict.fromkeys(("required", "invalid_choice"), sentence),
            template_name=f"components/forms/{self.component}.jinja",
            **django,
        )

    @property
    def called(self) -> str:
        """What a sentence about it begins with."""
        return self._called or str(self.label).removesuffix(" (optional)")

    def sentence_for_nothing(self, label: str) -> str:
        return f"Enter {lower_first(label)}"


class TextField(Worded, forms.CharField):
    """One line of text; `type` is that of the input."""

    widget: type[forms.Widget] = forms.TextInput
    allow_lines = False

    def __init__(
        self, *, label: str, max_length: int = 100, min_length: int | None = None, **given: Unpack[Given]
    ) -> None:
        super().__init__(label=label, **given)
        # Django's own length and null validators would speak in other words.
        self.validators = []
        self.max_length, self.min_length = max_length, min_length

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value) or "")
        return text.replace("\r\n", "\n").replace("\r", "\n") if self.allow_lines else text

    def validate(self, value: Any) -> None:
        super().validate(value)
        if has_control_characters(value, allow_lines=self.allow_lines):
            raise ValidationError(f"{self.called} contains characters that cannot be used", code="characters")
        if self.max_length is not None and len(value) > self.max_length:
            words = f"{self.called} must be {self.max_length} characters or fewer"
            raise ValidationError(words, code="max_length")
        if value and self.min_length is not None and len(value) < self.min_length:
            words = f"{self.called} must be {self.min_length} characters or more"
            raise ValidationError(words, code="min_length")

    def clean(self, value: Any) -> str:
        text = str(super().clean(value))
        return self.normalise(text) if text else ""

    def normalise(self, text: str) -> str:
        """The one form in which it is kept. Raises ValidationError."""
        return text


class TextareaField(TextField):
    """Several lines of text; line breaks arrive as \\n."""

    component = "textarea"
    widget = forms.Textarea
    allow_lines = True

    def __init__(
        self, *, label: str, max_length: int = 2000, min_length: int | None = None, **given: Unpack[Given]
    ) -> None:
        given.setdefault("rows", 5)
        super().__init__(label=label, max_length=max_length, min_length=min_length, **given)


class PasswordField(TextField):
    """A password: never stripped, never sent back to the page."""

    component = "password"
    widget = forms.PasswordInput

    def __init__(self, *, label: str, **given: Unpack[Given]) -> None:
        given.setdefault("autocomplete", "current-password")
        super().__init__(label=label, max_length=256, **given)
        self.strip = False


class HiddenField(TextField):
    """A value that the page carries; errors of it show in the summary."""

    component = "hidden"
    widget = forms.HiddenInput

    def __init__(self, *, label: str = "This page", required: bool = True, max_length: int = 200) -> None:
        missing = "Something is missing from this page. Go back and try again"
        super().__init__(label=label, required=required, max_length=max_length, missing=missing)


class NHSNumberField(TextField):
    """Cleans to ten digits ("9434765919") or "".

    settings.NHS_NUMBER_POLICY says which ranges count: "synthetic" refuses numbers of real people, "real"
    refuses test numbers.
    """

    _WORDS = {
        "format": "{} must only contain numbers",
        "length": "{} must be 10 numbers long",
        "check_digit": "Check the {}: it has a mistyped number",
    }

    def __init__(self, *, label: str = "NHS number", **given: Unpack[Given]) -> None:
        own: Given = {"hint": "10 digits, for example 999 123 4567"}
        own |= {"inputmode": "numeric", "width": 10, "spellcheck": False}
        super().__init__(label=label, max_length=30, **own | given)

    def normalise(self, text: str) -> str:
        if not compact(text):
            return ""
        try:
            digits = read_nhs_number(text)
        except InvalidValue as fault:
            raise ValidationError(self._WORDS[fault.code].format(self.label), code=fault.code) from None
        synthetic = is_valid(digits, for_region=REGION_SYNTHETIC)
        if settings.NHS_NUMBER_POLICY == "synthetic" and not synthetic:
            raise ValidationError(
                "This is not a live service. Enter a test NHS number, one that starts with 9", code="real"
            )
        if settings.NHS_NUMBER_POLICY == "real" and synthetic:
            raise ValidationError("Enter a patient's real NHS number, not a test number", code="synthetic")
        return digits


class PhoneField(TextField):
    """Cleans to E.164 ("+447700900123", with an extension "+441132000000 x12") or ""; British without a +."""

    def __init__(self, *, label: str = "Phone number", **given: Unpack[Given]) -> None:
        own: Given = {"autocomplete": "off", "inputmode": "tel", "type": "tel", "width": 20}
        super().__init__(label=label, max_length=40, **own | given)

    def normalise(self, text: str) -> str:
        try:
            return read_phone(text)
        except InvalidValue as fault:
            words = f"Enter a {lower_first(str(self.label))} like 020 7946 0000 or 07700 900123"
            if fault.code == "first_zero":
                words = f"{self.called} must begin with 0, or with + and the code of a country"
            raise ValidationError(words, code=fault.code) from None


class PostcodeField(TextField):
    """Cleans to "LS1 4AP"; with `outward` also to the first half alone, "LS1"."""

    def __init__(self, *, label: str = "Postcode", outward: bool = False, **given: Unpack[Given]) -> None:
        own: Given = {"autocomplete": "off", "width": 10, "spellcheck": False}
        super().__init__(label=label, max_length=12, **own | given)
        self.outward = outward

    def normalise(self, text: str) -> str:
        try:
            return read_postcode(text, outward=self.outward)
        except InvalidValue as fault:
            example = "LS1 4AP, or its first half, like LS1" if self.outward else "LS1 4AP"
            raise ValidationError(f"Enter a full UK postcode, like {example}", code=fault.code) from None


@dataclass(frozen=True)
class Option:
    """One answer. `divider` is a word shown before it, as in "or"."""

    value: str
    text: str
    hint: str = ""
    divider: str = ""


Options = Iterable[Option | tuple[str, str]] | Callable[[], Iterable[Option | tuple[str, str]]]


def _resolve(options: Options) -> tuple[Option, ...]:
    given = options() if callable(options) else options
    return tuple(option if isinstance(option, Option) else Option(*option) for option in given)


class _Chosen(Worded):
    """Options with hints. They are read afresh for each form when they come from a function."""

    conditional: Mapping[str, str] = {}

    def sentence_for_nothing(self, label: str) -> str:
        return "Select an answer" if label.endswith("?") else f"Select {lower_first(label)}"

    def offer(self, offered: Options) -> Callable[[], list[tuple[str, str]]]:
        self.offered = offered
        return lambda: [(option.value, option.text) for option in self.items]

    @property
    def items(self) -> tuple[Option, ...]:
        return _resolve(self.offered)


class RadiosField(_Chosen, forms.ChoiceField):
    """One of a few. `conditional` maps an answer to the name of the field shown under it."""

    component = "radios"
    widget = forms.RadioSelect

    def __init__(
        self,
        *,
        label: str,
        options: Options,
        conditional: Mapping[str, str] = MappingProxyType({}),
        **given: Unpack[Given],
    ) -> None:
        self.conditional = conditional
        super().__init__(label=label, django={"choices": self.offer(options)}, **given)


class SelectField(_Chosen, forms.ChoiceField):
    """One of many. `empty_text` adds a first, empty entry."""

    component = "select"
    widget = forms.Select

    def __init__(
        self, *, label: str, options: Options, empty_text: str | None = None, **given: Unpack[Given]
    ) -> None:
        first = () if empty_text is None else (Option("", empty_text),)
        choices = self.offer(lambda: (*first, *_resolve(options)))
        super().__init__(label=label, django={"choices": choices}, **given)


class CheckboxesField(_Chosen, forms.MultipleChoiceField):
    """Any number of a few: cleans to a list of values."""

    component = "checkboxes"
    widget = forms.CheckboxSelectMultiple

    def __init__(self, *, label: str, options: Options, **given: Unpack[Given]) -> None:
        super().__init__(label=label, django={"choices": self.offer(options)}, **given)


class ConfirmField(Worded, forms.BooleanField):
    """A single box to tick."""

    component = "confirm"

    def sentence_for_nothing(self, label: str) -> str:
        return "Tick the box to go on"

    def validate(self, value: Any) -> None:
        if self.required and not value:
            raise ValidationError(self.error_messages["required"], code="required")
