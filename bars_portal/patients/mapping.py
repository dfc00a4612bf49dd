"""Patients between FHIR and the portal: pure, both directions (standard section 6)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
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
from bars_portal.exchange.fhir.identifiers import NHS_NUMBER_SYSTEM, is_verified, nhs_identifiers, same_system
from bars_portal.exchange.fhir.reading import as_dict, as_list, as_text, codings, dicts, extension
from bars_portal.exchange.fhir.timestamps import format_instant
from bars_portal.patients.details import ContactDetails, Limit, PatientDetails, Telecom

# Our patient as a FHIR Patient (profile UKCore-Patient; standard section 6, "Contacts" and "NHS number").
Resource = dict[str, Any]


def patient_to_fhir(
    details: PatientDetails, *, now: datetime, practice_url: str = "", resource_id: str = ""
) -> Resource:
    """A Patient resource. `practice_url` is the fullUrl of the GP practice's Organization in the same Bundle.

    What is not known is left out; contacts and telecoms are ranked by their order, so one of each has rank 1.
    """
    parts: Resource = {
        "resourceType": "Patient",
        "id": resource_id,
        "meta": {"lastUpdated": format_instant(now), "profile": [profiles.uk_core("Patient")]},
        "identifier": list(_identifiers(details)),
        "name": [each for each in (_name(details, use="official"),) if each],
        "gender": details.gender,
        "birthDate": details.birth_date.isoformat() if details.birth_date else "",
        "address": [each for each in (_address(details),) if each],
        "contact": [_contact(contact, rank) for rank, contact in enumerate(details.contacts, start=1)],
        "generalPractitioner": [{"reference": practice_url}] if practice_url else [],
    }
    return _filled(parts)


def _filled(parts: Resource) -> Resource:
    """FHIR has no empty values: what is not known is not there."""
    return {name: value for name, value in parts.items() if value not in ("", None, [], {})}


def _identifiers(details: PatientDetails) -> Iterator[Resource]:
    if not details.nhs_number:
        return
    status = NHSNumberStatus.VERIFIED if details.nhs_number_verified else NHSNumberStatus.NOT_TRACED
    yield {
        "extension": [
            {
                "url": profiles.EXTENSION_NHS_NUMBER_STATUS,
                "valueCodeableConcept": {"coding": [status.coding]},
            }
        ],
        "system": NHS_NUMBER_SYSTEM,
        "value": details.nhs_number,
    }


def _name(person: PatientDetails | ContactDetails, *, use: str = "") -> Resource:
    prefix = person.prefix if isinstance(person, PatientDetails) else ""
    text = " ".join(part for part in (prefix, person.given_names, person.family_name) if part)
    if not text:
        return {}
    return _filled(
        {
            "use": use,
            "text": text,
            "family": person.family_name,
            "given": person.given_names.split(),
            "prefix": [prefix] if prefix else [],
        }
    )


def _address(details: PatientDetails) -> Resource:
    text = " ".join(part for part in (", ".join(details.address_lines), details.postcode) if part)
    if not text:
        return {}
    lines = list(details.address_lines)
    return _filled({"use": "home", "text": text, "line": lines, "postalCode": details.postcode})


def _contact(contact: ContactDetails, rank: int) -> Resource:
    return _filled(
        {
            "extension": [{"url": profiles.EXTENSION_CONTACT_RANK, "valuePositiveInt": rank}],
            "relationship": [each for each in (_relationship(contact),) if each],
            "name": _name(contact),
            "telecom": [_telecom(each, place) for place, each in enumerate(contact.telecoms, start=1)],
        }
    )


def _relationship(contact: ContactDetails) -> Resource:
    known = ContactRelationship.lookup(contact.relationship)
    other = {"system": ContactRelationship.SELF.system, "code": contact.relationship}
    coding = [known.coding if known else other] if contact.relationship else []
    return _filled({"coding": coding, "text": contact.relationship_text})


def _telecom(telecom: Telecom, rank: int) -> Resource:
    return _filled({"system": telecom.system, "value": telecom.value, "use": telecom.use, "rank": rank})


# A FHIR Patient as our details: tolerant, for the stored message is the record and this only its index.

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
    lines, postcode = _read_address(_best(patient.get("address")))
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
    for identifier in nhs_identifiers(patient):
        number = _SEPARATORS.sub("", as_text(identifier.get("value")))
        if _TEN_DIGITS.fullmatch(number):
            return number, is_verified(identifier)
    return "", False


def _date(value: object) -> date | None:
    """A whole date; a year or a month alone is not enough to know an age by."""
    text = as_text(value)
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def _read_address(address: Resource) -> tuple[tuple[str, ...], str]:
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
    yield from (_read_contact(each) for each in ranked)
    own = _telecoms(patient.get("telecom"))
    if own:
        yield ContactDetails(relationship=ContactRelationship.SELF.value, telecoms=own)


def _contact_rank(contact: Resource) -> int:
    return _rank(extension(contact, profiles.EXTENSION_CONTACT_RANK).get("valuePositiveInt"))


def _rank(value: object) -> int:
    """Sorts what has no (readable) rank last, in the order it came."""
    usable = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return min(value, _UNRANKED) if usable and isinstance(value, int) else _UNRANKED


def _read_contact(contact: Resource) -> ContactDetails:
    name = as_dict(contact.get("name"))
    code, words = _read_relationship(contact.get("relationship"))
    return ContactDetails(
        relationship=code,
        given_names=_joined(name.get("given"), Limit.NAME),
        family_name=_family(name),
        telecoms=_telecoms(contact.get("telecom")),
        relationship_text=words,
    )


def _read_relationship(concepts: object) -> tuple[str, str]:
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
