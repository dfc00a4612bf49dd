"""A pasted message explained, as if it came to us, as far as it tells; and the form that it is pasted in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError

from bars_portal.exchange.explaining.explain import Explanation, Letter, explain, stand_in
from bars_portal.exchange.explaining.guidance import (
    ACCESS,
    ANSWER_FORMAT,
    BODY_FORMAT,
    NHSD_HEADERS,
    REQUEST_IDS,
)
from bars_portal.exchange.fhir.formats import sniff
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.rules import FindService, HostedService
from bars_portal.exchange.inbound import hosted
from bars_portal.exchange.transport.headers import CORRELATION_ID, ORGANISATION, REQUEST_ID
from bars_portal.nhsuk.forms import NHSForm, TextareaField

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_MOST_HEADERS = 60
_NO_HEADERS = "No headers were pasted."
_NOT_PASTED = "This header was not pasted."
_OF_HEADERS = (REQUEST_IDS, NHSD_HEADERS, ANSWER_FORMAT, BODY_FORMAT)


def read_headers(text: str) -> dict[str, str]:
    """Headers by name, one a line; one that comes twice is one list, as HTTP has it.

    Raises ValueError with a sentence for whoever pasted them, which repeats nothing of theirs.
    """
    headers: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, colon, value = (each.strip() for each in line.partition(":"))
        if not line.strip():
            continue
        if not (colon and _NAME.fullmatch(name)):
            raise ValueError(f"Line {number} of the headers is not a name, a colon and a value")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if len(headers) > _MOST_HEADERS:
        raise ValueError(f"Paste {_MOST_HEADERS} headers or fewer")
    return headers


def explain_pasted(letter: Letter, *, own: Iterable[str]) -> Explanation:
    """Services that are their `own` count as they are; of all others nothing is told.

    `letter.headers` are those that were pasted, maybe none. What is missing for the message to be read is
    made up, and its step is not judged.
    """
    headers, names = dict(letter.headers), {name.lower() for name in letter.headers}
    skipped = {} if headers else dict.fromkeys(_OF_HEADERS, _NO_HEADERS)
    if not headers:
        headers = {REQUEST_ID: str(uuid4()), CORRELATION_ID: str(uuid4())}
    if "content-type" not in names:
        headers["Content-Type"] = sniff(letter.body).value
        skipped.setdefault(BODY_FORMAT, _NOT_PASTED)
    tells_who = ORGANISATION.lower() in names
    if not tells_who:
        skipped[ACCESS] = _NO_HEADERS if not names else "NHSD-End-User-Organisation was not pasted."
    find = finder(own, tells_who=tells_who)
    return explain(Letter(letter.body, headers), find=find, skipped=skipped)


def finder(own: Iterable[str], *, tells_who: bool) -> FindService:
    """Own services, with their callers where it is told who calls; stand-ins for all others."""
    ids = frozenset(own)

    def find(service_id: ServiceID) -> HostedService:
        found = hosted(service_id) if service_id.value in ids else None
        if found is None:
            return stand_in(service_id)
        return found if tells_who else replace(found, allowed_callers=frozenset(), access_rules=())

    return find


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
