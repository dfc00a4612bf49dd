"""Searches of what we hold of one patient: GET /Appointment and GET /ServiceRequest.

Standard section 7; api.md section 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Self

from bars_portal.exchange.fhir.identifiers import (
    NHS_NUMBER_SYSTEM,
    InvalidIdentifier,
    NHSNumber,
    same_system,
    split_token,
)
from bars_portal.exchange.fhir.outcomes import OutcomeCode
from bars_portal.exchange.fhir.queries.params import Pairs, Params
from bars_portal.values import InvalidValue, read_postcode

IDENTIFIER = "patient:identifier"
NAME = "patient:name"
BIRTH_DATE = "patient:birthdate"
POSTCODE = "patient:address-postalcode"
_TOGETHER = (NAME, BIRTH_DATE, POSTCODE)
PATIENT = (IDENTIFIER, *_TOGETHER)

_ISO = re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})")
# As far as it is known.
_PARTLY = re.compile(r"[0-9]{4}(?:-[0-9]{2})?")
# The specification's own example is no FHIR date.
_BRITISH = re.compile(r"(?P<day>[0-9]{2})/(?P<month>[0-9]{2})/(?P<year>[0-9]{4})")


@dataclass(frozen=True, slots=True)
class Demographics:
    """Any name part, the birth date as a FHIR date, and the home postcode ("LS1 4AP"), always all three.

    Of somebody whose day or month of birth is not known, `born` is "1984-07" or "1984".
    """

    name: str
    born: str
    postcode: str


@dataclass(frozen=True, slots=True)
class AppointmentQuery:
    """A valid search for one patient: by NHS number, by demographics, or by both."""

    identifier: NHSNumber | None
    demographics: Demographics | None

    @classmethod
    def parse(cls, params: Pairs) -> Self:
        """Raise OutcomeError with every fault: 400 required, value or invalid."""
        reader = _reader(params, PATIENT)
        query = cls.read(reader, required=True)
        reader.finish()
        return query

    @classmethod
    def read(cls, reader: Params, *, required: bool) -> Self:
        """From parameters that are being read; both are None when the patient is optional and absent."""
        return cls(_identifier(reader), _demographics(reader, required=required))


def _reader(params: Pairs, known: Iterable[str]) -> Params:
    """A token of the NHS number system that has no name counts as the identifier (standard section 12)."""
    tokens = [_nameless(*pair) for pair in params]
    pairs = [pair for pair, token in zip(params, tokens, strict=True) if token is None]
    numbered = [token for token in tokens if token and split_token(token)[1]]
    reader = Params([*pairs, *((IDENTIFIER, token) for token in numbered)], known)
    if len(pairs) + len(numbered) < len(params):
        reader.fault(OutcomeCode.REQUIRED, f"{IDENTIFIER} has nothing after the bar")
    return reader


def _nameless(name: str, value: str) -> str | None:
    """The token of a pair that has only one of the two, or None."""
    text = name.strip() or value
    system, _ = split_token(text)
    alone = not (name.strip() and value)
    return text if alone and system is not None and same_system(system, NHS_NUMBER_SYSTEM) else None


def _identifier(reader: Params) -> NHSNumber | None:
    text = reader.one(IDENTIFIER, required=False)
    if text is None:
        return None
    try:
        return NHSNumber.searched(text)
    except InvalidIdentifier:
        reader.fault(OutcomeCode.VALUE, f"{IDENTIFIER} is not an NHS number")
        return None


def _demographics(reader: Params, *, required: bool) -> Demographics | None:
    named = [name for name in _TOGETHER if reader.has(name)]
    if not named and (reader.has(IDENTIFIER) or not required):
        return None
    if len(named) < len(_TOGETHER):
        hints = "".join(map(reader.hint, PATIENT))
        words = f"{IDENTIFIER}, or {', '.join(_TOGETHER)} together, is needed{hints}"
        reader.fault(OutcomeCode.REQUIRED, words)
    name = reader.one(NAME, required=False)
    born = _born(reader)
    postcode = _postcode(reader)
    if name is None or born is None or postcode is None:
        return None
    return Demographics(name, born, postcode)


def _born(reader: Params) -> str | None:
    text = reader.one(BIRTH_DATE, required=False)
    if text is None:
        return None
    bare = text.removeprefix("eq")
    match = _ISO.fullmatch(bare) or _BRITISH.fullmatch(bare)
    # No such day gets the same answer as a text that is no date at all.
    with suppress(ValueError):
        if match:
            return date(int(match["year"]), int(match["month"]), int(match["day"])).isoformat()
        if _PARTLY.fullmatch(bare):
            return date.fromisoformat(f"{bare}-01-01"[:10]).isoformat()[: len(bare)]
    reader.fault(OutcomeCode.VALUE, f"{BIRTH_DATE} is not a date")
    return None


def _postcode(reader: Params) -> str | None:
    text = reader.one(POSTCODE, required=False)
    if text is None:
        return None
    try:
        return read_postcode(text)
    except InvalidValue:
        reader.fault(OutcomeCode.VALUE, f"{POSTCODE} is not a postcode")
        return None


# -- GET /ServiceRequest, of one patient or by an identifier

REQUEST_IDENTIFIER = "ServiceRequest.identifier"


@dataclass(frozen=True, slots=True)
class RequestIdentifier:
    """A reference of the case, never its id; `system` is "" when it was not said."""

    system: str
    value: str


@dataclass(frozen=True, slots=True)
class ServiceRequestQuery:
    """A valid search: by an identifier, by patient, or by both."""

    identifier: RequestIdentifier | None
    patient: AppointmentQuery

    @classmethod
    def parse(cls, params: Pairs) -> Self:
        """Raise OutcomeError with every fault: 400 required, value or invalid."""
        reader = _reader(params, (REQUEST_IDENTIFIER, *PATIENT))
        identifier = _request_identifier(reader)
        patient = AppointmentQuery.read(reader, required=not reader.has(REQUEST_IDENTIFIER))
        reader.finish()
        return cls(identifier, patient)


def _request_identifier(reader: Params) -> RequestIdentifier | None:
    text = reader.one(REQUEST_IDENTIFIER, required=False)
    if text is None:
        return None
    system, bar, value = text.rpartition("|")
    if not value or (bar and not system):
        reader.fault(OutcomeCode.VALUE, f"{REQUEST_IDENTIFIER} is not of the form system|value")
        return None
    return RequestIdentifier(system, value)
