"""What somebody pastes to have it explained: a message, and the headers that it came with."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError

from bars_portal.exchange.explaining.rehearsal import Letter
from bars_portal.nhsuk.forms import NHSForm, TextareaField

# In characters: ten times the longest published message.
_LONGEST = 400_000
_LONGEST_HEADERS = 20_000
_MOST_HEADERS = 60


class PastedField(TextareaField):
    """Taken as it is, with characters that no message may have: those are for the rules to find."""

    def validate(self, value: Any) -> None:
        if self.required and not value:
            raise ValidationError(self.error_messages["required"], code="required")
        if self.max_length is not None and len(value) > self.max_length:
            words = f"{self.label} must be {self.max_length:,} characters or fewer"
            raise ValidationError(words, code="max_length")


class PasteForm(NHSForm):
    """The names of both fields keep them out of the forms that wait for a late sign-in."""

    pasted_message = PastedField(
        label="Message",
        hint="The whole body in JSON or XML, as it was or will be sent",
        missing="Paste a message",
        max_length=_LONGEST,
        rows=12,
        spellcheck=False,
    )
    pasted_headers = PastedField(
        label="Headers (optional)",
        hint="One on each line, such as X-Request-ID: 1a2b… Without them only the message itself is judged",
        max_length=_LONGEST_HEADERS,
        required=False,
        rows=5,
        spellcheck=False,
    )

    def clean_pasted_headers(self) -> dict[str, str]:
        """By name. A header that comes twice is one list, as HTTP has it."""
        headers: dict[str, str] = {}
        lines = self.cleaned_data["pasted_headers"].split("\n")
        for number, line in enumerate(lines, 1):
            name, colon, value = line.partition(":")
            if not line.strip():
                continue
            if not colon or not name.strip().replace("-", "").replace("_", "").isalnum():
                raise ValidationError(f"Line {number} of the headers is not a name, a colon and a value")
            before = headers.get(name.strip())
            headers[name.strip()] = f"{before}, {value.strip()}" if before else value.strip()
        if len(headers) > _MOST_HEADERS:
            raise ValidationError(f"Paste {_MOST_HEADERS} headers or fewer")
        return headers

    def letter(self) -> Letter:
        """Of a valid form."""
        told = self.cleaned_data
        return Letter(told["pasted_message"].encode("utf-8", "replace"), told["pasted_headers"])
