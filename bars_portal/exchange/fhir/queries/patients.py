"""Searches of what we hold of one patient: GET /Appointment and GET /ServiceRequest.

Standard section 7; api.md section 3.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Self

from bars_portal.exchange.fhir.identifiers import InvalidIdentifier, NHSNumber
from bars_portal.exchange.fhir.outcomes import OutcomeCode
from bars_portal.exchange.fhir.queries.params import Pairs, Params

IDENTIFIER = "patient:identifier"
NAME = "patient:name"
BIRTH_DATE = "patient:birthdate"
POSTCODE = "patient:address-postalcode"
_TOGETHER = (NAME, BIRTH_DATE, POSTCODE)
PATIENT = (IDENTIFIER, *_TOGETHER)

_POSTCODE = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}")
_ISO = re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})")
# The specification's own example is no FHIR date.
_BRITISH = re.compile(r"(?P<day>[0-9]{2})/(?P<month>[0-9]{2})/(?P<year>[0-9]{4})")


@dataclass(frozen=True, slots=True)
class Demographics:
    """Any name part, the birth date and the home postcode (capitals, no space), always all three."""

    name: str
    birth_date: date
    postcode: str


@dataclass(frozen=True, slots=True)
class AppointmentQuery:
    """A valid search for one patient: by NHS number, by demographics, or by both."""

    identifier: NHSNumber | None
    demographics: Demographics | None

    @classmethod
    def parse(cls, params: Pairs) -> Self:
        """Raise OutcomeError with every fault: 400 required, value or invalid."""
        reader = Params(params, PATIENT)
        query = cls.read(reader, required=True)
        reader.finish()
        return query

    @classmethod
    def read(cls, reader: Params, *, required: bool) -> Self:
        """From parameters that are being read; both are None when the patient is optional and absent."""
        return cls(_identifier(reader), _demographics(reader, required=required))


def _identifier(reader: Params) -> NHSNumber | None:
    text = reader.one(IDENTIFIER, required=False)
    if text is None:
        return None
    try:
        return NHSNumber.from_token(text)
    except InvalidIdentifier:
        reader.fault(OutcomeCode.VALUE, f"{IDENTIFIER} is not an NHS number")
        return None


def _demographics(reader: Params, *, required: bool) -> Demographics | None:
    named = [name for name in _TOGETHER if reader.has(name)]
    if not named and (reader.has(IDENTIFIER) or not required):
        return None
    if len(named) < len(_TOGETHER):
        reader.fault(OutcomeCode.REQUIRED, f"{IDENTIFIER}, or {', '.join(_TOGETHER)} together, is needed")
    name = reader.one(NAME, required=False)
    birth_date = _birth_date(reader)
    postcode = _postcode(reader)
    if name is None or birth_date is None or postcode is None:
        return None
    return Demographics(name, birth_date, postcode)


def _birth_date(reader: Params) -> date | None:
    text = reader.one(BIRTH_DATE, required=False)
    if text is None:
        return None
    bare = text.removeprefix("eq")
    match = _ISO.fullmatch(bare) or _BRITISH.fullmatch(bare)
    # No such day gets the same answer as a text that is no date at all.
    with suppress(ValueError):
        if match:
            return date(int(match["year"]), int(match["month"]), int(match["day"]))
    reader.fault(OutcomeCode.VALUE, f"{BIRTH_DATE} is not a date")
    return None


def _postcode(reader: Params) -> str | None:
    text = reader.one(POSTCODE, required=False)
    if text is None:
        return None
    postcode = "".join(text.upper().split())
    if _POSTCODE.fullmatch(postcode):
        return postcode
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
        reader = Params(params, (REQUEST_IDENTIFIER, *PATIENT))
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
