"""Identifiers of the NHS, parsed once and then a type (design section 5, "NHS numbers")."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha1
from typing import Any, Self
from uuid import UUID

from bars_portal import values
from bars_portal.exchange.fhir.codes import NHSNumberStatus
from bars_portal.exchange.fhir.json import as_text, codings, dicts, extension
from bars_portal.exchange.fhir.profiles import EXTENSION_NHS_NUMBER_STATUS

NHS_NUMBER_SYSTEM = "https://fhir.nhs.uk/Id/nhs-number"
ODS_SYSTEM = "https://fhir.nhs.uk/Id/ods-organization-code"
SERVICE_ID_SYSTEM = "https://fhir.nhs.uk/Id/dos-service-id"
SDS_ROLE_PROFILE_SYSTEM = "https://fhir.nhs.uk/Id/sds-role-profile-id"

_FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_LONGEST_KEPT = 100
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class InvalidIdentifier(ValueError):
    """An identifier breaks its own format; the message names the rule and never holds the value."""


def _read(reader: Callable[[str], str], text: str) -> str:
    try:
        return reader(text)
    except values.InvalidValue as fault:
        raise InvalidIdentifier(str(fault)) from None


@dataclass(frozen=True, slots=True)
class NHSNumber:
    """Ten digits whose last is the modulus-11 check digit; spaces and hyphens are dropped when parsing."""

    value: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raise InvalidIdentifier unless `text` holds ten digits with a right check digit."""
        return cls(_read(values.read_nhs_number, text))

    @classmethod
    def searched(cls, token: str) -> Self:
        """Read "system|value" or a bare number of a search; InvalidIdentifier for another system or length.

        The check digit is not judged: one that is wrong finds nobody, or whoever was sent with that number.
        """
        digits = values.compact(_value_in(NHS_NUMBER_SYSTEM, token))
        if not re.fullmatch(r"[0-9]{10}", digits):
            raise InvalidIdentifier("An NHS number has 10 digits")
        return cls(digits)

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class ODSCode:
    """Code of an organisation: 3 to 12 letters and digits, kept in capitals."""

    value: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raise InvalidIdentifier unless `text` has the form of an ODS code."""
        return cls(_read(values.read_ods_code, text))

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class ServiceID:
    """DoS service id: digits only."""

    value: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raise InvalidIdentifier unless `text` is a bare id of 1 to 20 digits."""
        return cls(_read(values.read_service_id, text))

    @classmethod
    def from_token(cls, token: str) -> Self:
        """Read "system|value" or a bare id; raise InvalidIdentifier for another system or a bad id."""
        return cls.parse(_value_in(SERVICE_ID_SYSTEM, token))

    @property
    def token(self) -> str:
        """The form of MessageHeader endpoints: "https://fhir.nhs.uk/Id/dos-service-id|2000099001"."""
        return f"{SERVICE_ID_SYSTEM}|{self.value}"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class UnknownTarget:
    """A target in another system, or with a value that is no service id: never a service of ours.

    `value` is what no service is called; what was sent is not kept.
    """

    value: str = ""


def split_token(text: str) -> tuple[str | None, str]:
    """Split a search token: "system|value" to both, a bare value to (None, value); blanks are cut off."""
    system, bar, value = text.strip().rpartition("|")
    return (system.strip() if bar else None), value.strip()


def _value_in(expected: str, token: str) -> str:
    system, value = split_token(token)
    if system is not None and not same_system(system, expected):
        raise InvalidIdentifier("The identifier is in another system")
    return value


def same_system(one: str, other: str) -> bool:
    """Whether two system URIs are the same but for http/https and case (official examples mix them)."""
    return one == other or _bare(one) == _bare(other)


def _bare(system: str) -> str:
    # A page asks of the same few systems a thousand times; what is longer is none of them.
    return _kept(system) if len(system) <= _LONGEST_KEPT else _stripped(system)


@lru_cache(maxsize=256)
def _kept(system: str) -> str:
    return _stripped(system)


def _stripped(system: str) -> str:
    return system.strip().lower().removeprefix("https://").removeprefix("http://").rstrip("/")


def is_fhir_id(text: str) -> bool:
    """Whether `text` is what FHIR R4 calls an id."""
    return _FHIR_ID.fullmatch(text) is not None


def is_uuid(text: str) -> bool:
    """Whether `text` is a UUID in its 36-character form."""
    return _UUID.fullmatch(text) is not None


def name_based_uuid(namespace: UUID, name: str) -> str:
    """The text of `uuid5(namespace, name)` in a quarter of its time: a reply has one for each entry."""
    digits = sha1(namespace.bytes + name.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def parse_uuid(text: str) -> UUID:
    """Raise InvalidIdentifier unless `text` is a UUID in its 36-character form."""
    if not is_uuid(text):
        raise InvalidIdentifier("The value is not a UUID")
    return UUID(text)


# -- NHS numbers in a FHIR Patient: only a verified one is used for matching (standard section 6)


def nhs_identifiers(patient: dict[str, Any]) -> list[dict[str, Any]]:
    """The Patient.identifier entries in the NHS number system."""
    return [
        each
        for each in dicts(patient.get("identifier"))
        if same_system(as_text(each.get("system")), NHS_NUMBER_SYSTEM)
    ]


def read_nhs_number(identifier: dict[str, Any]) -> NHSNumber | None:
    """The number of an identifier, or None when it is no NHS number."""
    try:
        return NHSNumber.parse(as_text(identifier.get("value")))
    except InvalidIdentifier:
        return None


def is_verified(identifier: dict[str, Any]) -> bool:
    """Whether the verification status extension says "number present and verified"."""
    status = extension(identifier, EXTENSION_NHS_NUMBER_STATUS).get("valueCodeableConcept")
    return any(coding.get("code") == NHSNumberStatus.VERIFIED for coding in codings(status))
