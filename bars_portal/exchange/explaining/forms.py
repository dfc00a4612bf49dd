"""What somebody pastes to have it explained: a message, and the headers that it came with."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError

from bars_portal.exchange.explaining.pasted import read_headers
from bars_portal.exchange.explaining.rehearsal import Letter
from bars_portal.nhsuk.forms import NHSForm, TextareaField

# In characters: ten times the longest published message.
_LONGEST = 400_000
_LONGEST_HEADERS = 20_000


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
        try:
            return read_headers(self.cleaned_data["pasted_headers"])
        except ValueError as fault:
            raise ValidationError(str(fault)) from None

    def letter(self) -> Letter:
        """Of a valid form."""
        told = self.cleaned_data
        return Letter(told["pasted_message"].encode("utf-8", "replace"), told["pasted_headers"])
