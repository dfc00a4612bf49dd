"""NHS numbers in a FHIR Patient: only a verified one is used for matching (standard section 6)."""

from __future__ import annotations

from typing import Any

from bars_portal.exchange.fhir.codes import NHSNumberStatus
from bars_portal.exchange.fhir.identifiers import (
    NHS_NUMBER_SYSTEM,
    InvalidIdentifier,
    NHSNumber,
    same_system,
)
from bars_portal.exchange.fhir.profiles import EXTENSION_NHS_NUMBER_STATUS
from bars_portal.exchange.fhir.reading import as_text, codings, dicts, extension


def nhs_identifiers(patient: dict[str, Any]) -> list[dict[str, Any]]:
    """The Patient.identifier entries in the NHS number system."""
    return [
        each
        for each in dicts(patient.get("identifier"))
        if same_system(as_text(each.get("system")), NHS_NUMBER_SYSTEM)
    ]


def read_number(identifier: dict[str, Any]) -> NHSNumber | None:
    """The number of an identifier, or None when it is no NHS number."""
    try:
        return NHSNumber.parse(as_text(identifier.get("value")))
    except InvalidIdentifier:
        return None


def is_verified(identifier: dict[str, Any]) -> bool:
    """Whether the verification status extension says "number present and verified"."""
    status = extension(identifier, EXTENSION_NHS_NUMBER_STATUS).get("valueCodeableConcept")
    return any(coding.get("code") == NHSNumberStatus.VERIFIED for coding in codings(status))


def usable(patient: dict[str, Any]) -> NHSNumber | None:
    """The verified and well-formed NHS number of a Patient; None means: do not match by number."""
    found = (read_number(each) for each in nhs_identifiers(patient) if is_verified(each))
    return next((number for number in found if number), None)
