"""A FHIR Patient as our details: tolerant, for the stored message is the record and this only its index."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice
from typing import Any

from bars_portal.exchange.fhir import profiles
from bars_portal.exchange.fhir.codes import (
    ContactRelationship,
    Gender,
    NHSNumberStatus,
    TelecomSystem,
    TelecomUse,
)
from bars_portal.exchange.fhir.identifiers import NHS_NUMBER_SYSTEM, same_system
from bars_portal.exchange.fhir.reading import as_dict, as_list, as_text, codings, dicts, extension
from bars_portal.patients.details import ContactDetails, Limit, PatientDetails, Telecom

Resource = dict[str, Any]
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TEN_DIGITS = re.compile(r"[0-9]{10}")
_SEPARATORS = re.compile(r"[\s\-]+")
# PostgreSQL stores neither a null nor half of a surrogate pair; the rest of the controls only confuse.
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_UNRANKED = 1_000_000


def patient_from_fhir(resource: object) -> PatientDetails:
    """Everything that can be read; odd shapes read as not known, nothing raises.

    A number is kept although its check digit is wrong (published messages carry such), and although it is
    not marked verified: then `nhs_number_verified` is False and nobody matches by it (standard section 6).
    """
    patient = as_dict(resource)
    number, verified = _nhs_number(patient)
    name = _best(patient.get("name"))
    lines, postcode = _address(_best(patient.get("address")))
    return PatientDetails(
        nhs_number=number,
        nhs_number_verified=verified,
        prefix=_joined(name.get("prefix"), Limit.PREFIX),
        given_names=_joined(name.get("given"), Limit.NAME),
        family_name=_family(name),
        gender=str(Gender.lookup(patient.get("gender")) or ""),
        birth_date=_date(patient.get("birthDate")),
        address_lines=lines,
        postcode=postcode,
        contacts=tuple(islice(_contacts(patient), Limit.CONTACTS)),
    )


def _text(value: object, limit: int) -> str:
    """One line of storable text, cut to its column."""
    return " ".join(_UNSTORABLE.sub("", as_text(value)).split())[:limit].strip()


def _joined(values: object, limit: int) -> str:
    return _text(" ".join(as_text(value) for value in as_list(values)), limit)


def _best(elements: object) -> Resource:
    """The official or home one, else the first that is not marked old."""
    current = [each for each in dicts(elements) if each.get("use") != "old"]
    preferred = (each for each in current if each.get("use") in ("official", "home"))
    return next(preferred, current[0] if current else {})


def _family(name: Resource) -> str:
    """A name that came as one text only is shown whole, as the family name."""
    family = _text(name.get("family"), Limit.NAME)
    in_parts = family or as_list(name.get("given")) or as_list(name.get("prefix"))
    return family if in_parts else _text(name.get("text"), Limit.NAME)


def _nhs_number(patient: Resource) -> tuple[str, bool]:
    for identifier in dicts(patient.get("identifier")):
        number = _SEPARATORS.sub("", as_text(identifier.get("value")))
        ours = same_system(as_text(identifier.get("system")), NHS_NUMBER_SYSTEM)
        if ours and _TEN_DIGITS.fullmatch(number):
            return number, _is_verified(identifier)
    return "", False


def _is_verified(identifier: Resource) -> bool:
    status = extension(identifier, profiles.EXTENSION_NHS_NUMBER_STATUS)
    found = codings(status.get("valueCodeableConcept"))
    return any(coding.get("code") == NHSNumberStatus.VERIFIED for coding in found)


def _date(value: object) -> date | None:
    """A whole date; a year or a month alone is not enough to know an age by."""
    text = as_text(value)
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def _address(address: Resource) -> tuple[tuple[str, ...], str]:
    lines = [_text(line, Limit.LINE) for line in as_list(address.get("line"))]
    for part in ("city", "district"):
        town = _text(address.get(part), Limit.LINE)
        if town.casefold() not in (line.casefold() for line in lines):
            lines.append(town)
    postcode = _text(address.get("postalCode"), Limit.POSTCODE)
    if not any(lines):
        lines = [_text(address.get("text"), Limit.LINE).removesuffix(postcode).rstrip(" ,")]
    kept = [line for line in lines if line][: Limit.LINES]
    return tuple(kept), postcode


def _contacts(patient: Resource) -> Iterator[ContactDetails]:
    """Patient.contact by rank, then the patient's own telecoms as one more contact."""
    ranked = sorted(dicts(patient.get("contact")), key=_contact_rank)
    yield from (_contact(each) for each in ranked)
    own = _telecoms(patient.get("telecom"))
    if own:
        yield ContactDetails(relationship=ContactRelationship.SELF.value, telecoms=own)


def _contact_rank(contact: Resource) -> int:
    return _rank(extension(contact, profiles.EXTENSION_CONTACT_RANK).get("valuePositiveInt"))


def _rank(value: object) -> int:
    """Sorts what has no (readable) rank last, in the order it came."""
    usable = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return min(value, _UNRANKED) if usable and isinstance(value, int) else _UNRANKED


def _contact(contact: Resource) -> ContactDetails:
    name = as_dict(contact.get("name"))
    code, words = _relationship(contact.get("relationship"))
    return ContactDetails(
        relationship=code,
        given_names=_joined(name.get("given"), Limit.NAME),
        family_name=_family(name),
        telecoms=_telecoms(contact.get("telecom")),
        relationship_text=words,
    )


def _relationship(concepts: object) -> tuple[str, str]:
    """A v3-RoleCode, or the words of whatever else was sent."""
    for coding in codings(concepts):
        if same_system(as_text(coding.get("system")), ContactRelationship.SELF.system):
            return _text(coding.get("code"), Limit.RELATIONSHIP), ""
    words: Iterable[str] = (
        as_text(concept.get("text")) or next((as_text(each.get("display")) for each in codings(concept)), "")
        for concept in dicts(concepts)
    )
    return "", _text(next((each for each in words if each), ""), Limit.RELATIONSHIP_TEXT)


def _telecoms(elements: object) -> tuple[Telecom, ...]:
    ranked = sorted(dicts(elements), key=lambda each: _rank(each.get("rank")))
    read = (
        Telecom(
            system=str(TelecomSystem.lookup(each.get("system")) or TelecomSystem.OTHER),
            value=_text(each.get("value"), Limit.TELECOM),
            use=str(TelecomUse.lookup(each.get("use")) or ""),
        )
        for each in ranked
    )
    return tuple(islice((each for each in read if each.value), Limit.TELECOMS))
