"""Our patient as a FHIR Patient (profile UKCore-Patient; standard section 6, "Contacts" and "NHS number")."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from bars_portal.exchange.fhir import profiles
from bars_portal.exchange.fhir.codes import ContactRelationship, NHSNumberStatus
from bars_portal.exchange.fhir.identifiers import NHS_NUMBER_SYSTEM
from bars_portal.exchange.fhir.timestamps import format_instant
from bars_portal.patients.details import ContactDetails, PatientDetails, Telecom

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
