"""Our patients to FHIR (standard section 6); back again: reading.py. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from bars_portal.exchange.fhir import profiles
from bars_portal.exchange.fhir.codes import (
    ContactRelationship,
    NHSNumberStatus,
    TelecomSystem,
)
from bars_portal.exchange.fhir.identifiers import (
    NHS_NUMBER_SYSTEM,
    ODS_SYSTEM,
)
from bars_portal.exchange.fhir.people import dialled_phone
from bars_portal.exchange.fhir.timestamps import InvalidInstant, format_instant, parse_instant
from bars_portal.patients.details import (
    DIED,
    ETHNIC_CATEGORIES,
    LANGUAGES,
    RELATIONSHIPS,
    UNKNOWN_RELATIONSHIP,
    ContactDetails,
    PatientDetails,
    Telecom,
)

# Our patient as a FHIR Patient (profile UKCore-Patient; standard section 6, "Contacts" and "NHS number").
Resource = dict[str, Any]


LOCAL_NUMBER_SYSTEM = "https://bars-portal.local/Id/patient-number"


def patient_entries(
    details: PatientDetails, *, url: str, practice_url: str, now: datetime, sends_untraced: bool = False
) -> list[tuple[str, Resource]]:
    """(fullUrl, resource) of the patient, and of the GP practice where it is known."""
    practice = _practice(details, now) if details.practice_code or details.practice_name else None
    patient = patient_to_fhir(
        details, now=now, practice_url=practice_url if practice else "", sends_untraced=sends_untraced
    )
    return [(url, patient), *([(practice_url, practice)] if practice else [])]


def _practice(details: PatientDetails, now: datetime) -> Resource:
    number = {"system": ODS_SYSTEM, "value": details.practice_code}
    return _filled(
        {
            "resourceType": "Organization",
            "meta": {"lastUpdated": format_instant(now), "profile": [profiles.uk_core("Organization")]},
            "identifier": [number] if details.practice_code else [],
            "name": details.practice_name,
        }
    )


def patient_to_fhir(
    details: PatientDetails,
    *,
    now: datetime,
    practice_url: str = "",
    resource_id: str = "",
    sends_untraced: bool = False,
) -> Resource:
    """A Patient resource. `practice_url` is the fullUrl of the GP practice's Organization in the same Bundle.

    `sends_untraced`: whether an NHS number that nobody traced goes out too, as not traced (Application 5).
    What is not known is left out; contacts and telecoms are ranked by their order, so one of each has rank 1.
    """
    parts: Resource = {
        "resourceType": "Patient",
        "id": resource_id,
        "meta": {"lastUpdated": format_instant(now), "profile": [profiles.uk_core("Patient")]},
        "extension": _ethnic_category(details.ethnic_category),
        "identifier": list(_identifiers(details, sends_untraced)),
        "name": [each for each in (_name(details, use="official"),) if each],
        "gender": details.gender,
        "birthDate": details.born,
        **_deceased(details.died),
        "address": [each for each in (_address(details),) if each],
        "contact": [_contact(contact, rank) for rank, contact in enumerate(details.contacts, start=1)],
        "communication": _language(details.language),
        "generalPractitioner": [{"reference": practice_url}] if practice_url else [],
    }
    return _filled(parts)


def _ethnic_category(code: str) -> list[Resource]:
    concept = _coded(profiles.ETHNIC_CATEGORY_SYSTEM, code, ETHNIC_CATEGORIES)
    return [{"url": profiles.EXTENSION_ETHNIC_CATEGORY, "valueCodeableConcept": concept}] if code else []


def _language(code: str) -> list[Resource]:
    concept = _coded(profiles.LANGUAGE_SYSTEM, code, LANGUAGES)
    return [{"language": concept, "preferred": True}] if code else []


def _coded(system: str, code: str, displays: Mapping[str, str]) -> Resource:
    return {"coding": [_filled({"system": system, "code": code, "display": displays.get(code, "")})]}


def _deceased(died: str) -> Resource:
    if died == DIED:
        return {"deceasedBoolean": True}
    # A day, a month or a year stays what it is.
    with suppress(InvalidInstant):
        return {"deceasedDateTime": format_instant(parse_instant(died))}
    return {"deceasedDateTime": died}


def _filled(parts: Resource) -> Resource:
    """FHIR has no empty values: what is not known is not there."""
    return {name: value for name, value in parts.items() if value not in ("", None, [], {})}


def _identifiers(details: PatientDetails, sends_untraced: bool) -> Iterator[Resource]:
    """The NHS number first, their own alone: the profile has room for one."""
    # Typed alone it may be somebody else's.
    if details.nhs_number and (details.nhs_number_verified or sends_untraced):
        yield _nhs_number(details)
    if details.local_number:
        yield {"system": details.local_number_system or LOCAL_NUMBER_SYSTEM, "value": details.local_number}


def _nhs_number(details: PatientDetails) -> Resource:
    status = NHSNumberStatus.VERIFIED if details.nhs_number_verified else NHSNumberStatus.NOT_TRACED
    return {
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
    named = (details.city, details.district)
    city, district = (each if each in details.address_lines else "" for each in named)
    return _filled(
        {
            "use": details.address_use,
            "type": _ADDRESS_TYPES.get(details.address_use, ""),
            "text": text,
            "line": [each for each in details.address_lines if each not in (city, district)],
            "city": city,
            "district": district,
            "postalCode": details.postcode,
        }
    )


# Where somebody lives they get letters too.
_ADDRESS_TYPES = {"home": "both", "temp": "physical"}


def _contact(contact: ContactDetails, rank: int) -> Resource:
    return _filled(
        {
            "extension": [{"url": profiles.EXTENSION_CONTACT_RANK, "valuePositiveInt": rank}],
            "relationship": [each for each in (_relationship(contact),) if each],
            "name": _name(contact),
            "telecom": [_telecom(each, place) for place, each in enumerate(contact.telecoms, start=1)],
            "gender": contact.gender,
        }
    )


CONTACT_ROLE_SYSTEM = "http://terminology.hl7.org/CodeSystem/v2-0131"


def _relationship(contact: ContactDetails) -> Resource:
    if contact.relationship == UNKNOWN_RELATIONSHIP:
        return {
            "coding": [{"system": CONTACT_ROLE_SYSTEM, "code": UNKNOWN_RELATIONSHIP, "display": "Unknown"}]
        }
    known = ContactRelationship.lookup(contact.relationship)
    code, system = contact.relationship, ContactRelationship.SELF.system
    other = {"system": system, "code": code, "display": RELATIONSHIPS.get(code, code)}
    coding = [known.coding if known else other] if code else []
    return _filled({"coding": coding, "text": contact.relationship_text})


def _telecom(telecom: Telecom, rank: int) -> Resource:
    value = dialled_phone(telecom.value) if telecom.system in _DIALLED else telecom.value
    return _filled({"system": telecom.system, "value": value, "use": telecom.use, "rank": rank})


_DIALLED = (TelecomSystem.PHONE, TelecomSystem.SMS)
