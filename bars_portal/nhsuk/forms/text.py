"""Free text: what people may type anywhere, and the words that refuse the rest."""

import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from bars_portal.nhsuk.words import lower_first

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
