"""Patients between FHIR and the portal: pure, both directions (standard section 6)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from bars_portal.exchange.fhir import profiles
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import (
    ContactRelationship,
    Gender,
    NHSNumberStatus,
    TelecomSystem,
    TelecomUse,
)
from bars_portal.exchange.fhir.identifiers import (
    NHS_NUMBER_SYSTEM,
    ODS_SYSTEM,
    is_verified,
    nhs_identifiers,
    same_system,
)
from bars_portal.exchange.fhir.people import best_first, chosen, is_valid, rank_of
from bars_portal.exchange.fhir.phones import dialled_phone
from bars_portal.exchange.fhir.reading import as_dict, as_list, as_text, codings, dicts, extension
from bars_portal.exchange.fhir.timestamps import InvalidInstant, format_instant, parse_instant
from bars_portal.patients.details import (
    ADDRESS_USES,
    DIED,
    ETHNIC_CATEGORIES,
    LANGUAGES,
    RELATIONSHIPS,
    UNKNOWN_RELATIONSHIP,
    ContactDetails,
    Limit,
    OtherNumber,
    PatientDetails,
    Telecom,
    known_birth,
    known_death,
)
from bars_portal.values import InvalidValue, compact, read_postcode

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


_CONTACT_ROLE = "http://terminology.hl7.org/CodeSystem/v2-0131"


def _relationship(contact: ContactDetails) -> Resource:
    if contact.relationship == UNKNOWN_RELATIONSHIP:
        return {"coding": [{"system": _CONTACT_ROLE, "code": UNKNOWN_RELATIONSHIP, "display": "Unknown"}]}
    known = ContactRelationship.lookup(contact.relationship)
    code, system = contact.relationship, ContactRelationship.SELF.system
    other = {"system": system, "code": code, "display": RELATIONSHIPS.get(code, code)}
    coding = [known.coding if known else other] if code else []
    return _filled({"coding": coding, "text": contact.relationship_text})


def _telecom(telecom: Telecom, rank: int) -> Resource:
    value = dialled_phone(telecom.value) if telecom.system in _DIALLED else telecom.value
    return _filled({"system": telecom.system, "value": value, "use": telecom.use, "rank": rank})


_DIALLED = (TelecomSystem.PHONE, TelecomSystem.SMS)


# A FHIR Patient as our details: tolerant, for the stored message is the record and this only its index.

_TEN_DIGITS = re.compile(r"[0-9]{10}")
# PostgreSQL stores neither a null nor half of a surrogate pair; the rest of the controls only confuse.
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def patient_in(bundle: MessageBundle, resource: object, *, now: datetime) -> PatientDetails:
    """As `patient_from_fhir`, and the GP practice, which is a resource of its own."""
    named = (bundle.resolve(each) or {} for each in dicts(as_dict(resource).get("generalPractitioner")))
    practice = next((each for each in named if each.get("resourceType") == "Organization"), {})
    numbers = (
        _text(each.get("value"), Limit.CODE)
        for each in dicts(practice.get("identifier"))
        if same_system(as_text(each.get("system")), ODS_SYSTEM)
    )
    name = _text(practice.get("name"), Limit.LINE)
    return replace(patient_from_fhir(resource, now=now), practice_code=next(numbers, ""), practice_name=name)


def patient_from_fhir(resource: object, *, now: datetime) -> PatientDetails:
    """Everything that can be read; odd shapes read as not known, nothing raises.

    Of several names and addresses, `now` decides (standard section 13). A number is kept although its check
    digit is wrong (published messages carry such), and although it is not marked verified: then
    `nhs_number_verified` is False and nobody matches by it (standard section 6).
    """
    patient = as_dict(resource)
    numbers = _nhs_numbers(patient, now)
    # A number that is not theirs any more is none of their own.
    own = next((each for each in numbers[:1] if not each.superseded), OtherNumber(""))
    name = chosen(patient.get("name"), now)
    address = _current_address(patient, now)
    lines, postcode = _read_address(address)
    city, district = (_of_lines(address, part, lines) for part in ("city", "district"))
    local = _local_number(patient)
    birth_date, birth_partly = known_birth(as_text(patient.get("birthDate")))
    return PatientDetails(
        nhs_number=own.value,
        nhs_number_verified=own.verified,
        prefix=_joined(name.get("prefix"), Limit.PREFIX),
        given_names=_joined(name.get("given"), Limit.NAME),
        family_name=_family(name),
        gender=str(Gender.lookup(patient.get("gender")) or ""),
        birth_date=birth_date,
        address_lines=lines,
        postcode=postcode,
        contacts=tuple(islice(_contacts(patient, now), Limit.CONTACTS)),
        birth_partly=birth_partly,
        died=_died(patient),
        other_numbers=tuple(numbers[bool(own.value) : Limit.NUMBERS]),
        address_use=_address_use(address),
        language=_preferred_language(patient),
        ethnic_category=_code_of(
            extension(patient, profiles.EXTENSION_ETHNIC_CATEGORY).get("valueCodeableConcept"),
            profiles.ETHNIC_CATEGORY_SYSTEM,
        ),
        city=city,
        district=district if district != city else "",
        local_number=_text(local.get("value"), Limit.LOCAL_NUMBER),
        local_number_system=_text(local.get("system"), Limit.LINE),
    )


def _of_lines(address: Resource, part: str, lines: tuple[str, ...]) -> str:
    """City or district as it stands among the lines; "" where it does not."""
    text = _text(address.get(part), Limit.LINE)
    return next((each for each in lines if text and each.casefold() == text.casefold()), "")


def _local_number(patient: Resource) -> Resource:
    """The first identifier of another system than the NHS number's; without a system it says nothing."""
    ours = nhs_identifiers(patient)
    others = (each for each in dicts(patient.get("identifier")) if each not in ours and each.get("system"))
    return next((each for each in others if as_text(each.get("value"))), {})


def _preferred_language(patient: Resource) -> str:
    """The one that is said to be preferred, else the first."""
    spoken = sorted(dicts(patient.get("communication")), key=lambda each: each.get("preferred") is not True)
    found = (_code_of(each.get("language"), profiles.LANGUAGE_SYSTEM) for each in spoken)
    return next(filter(None, found), "")


def _code_of(concept: object, system: str) -> str:
    """ "" for a code of another list, and for one that is longer than those of the list are."""
    found = (
        as_text(each.get("code"))
        for each in codings(concept)
        if same_system(as_text(each.get("system")), system)
    )
    return next((code for code in found if code.isalnum() and len(code) <= Limit.CODE), "")


def _text(value: object, limit: int) -> str:
    """One line of storable text, cut to its column."""
    return " ".join(_UNSTORABLE.sub("", as_text(value)).split())[:limit].strip()


def _joined(values: object, limit: int) -> str:
    return _text(" ".join(as_text(value) for value in as_list(values)), limit)


def _current_address(patient: Resource, now: datetime) -> Resource:
    """One that they have left is none: it stays in the message."""
    address = chosen(patient.get("address"), now)
    return address if is_valid(address, now) else {}


def _address_use(address: Resource) -> str:
    use = as_text(address.get("use"))
    return use if use in ADDRESS_USES and (address.keys() - {"use", "period"}) else ""


def _family(name: Resource) -> str:
    """A name that came as one text only is shown whole, as the family name."""
    family = _text(name.get("family"), Limit.NAME)
    in_parts = family or as_list(name.get("given")) or as_list(name.get("prefix"))
    return family if in_parts else _text(name.get("text"), Limit.NAME)


def _nhs_numbers(patient: Resource, now: datetime) -> list[OtherNumber]:
    """Each once: current before superseded, then verified before not, else as they came."""
    found: dict[str, OtherNumber] = {}
    for identifier in nhs_identifiers(patient):
        number = compact(as_text(identifier.get("value")))
        if _TEN_DIGITS.fullmatch(number):
            read = OtherNumber(number, is_verified(identifier), not is_valid(identifier, now))
            found[number] = min(found.get(number, read), read, key=_surest)
    return sorted(found.values(), key=_surest)


def _surest(number: OtherNumber) -> tuple[bool, bool]:
    return number.superseded, not number.verified


def _died(patient: Resource) -> str:
    told = patient.get("deceasedDateTime")
    if told is None:
        return DIED if patient.get("deceasedBoolean") is True else ""
    return known_death(as_text(told))


def _read_address(address: Resource) -> tuple[tuple[str, ...], str]:
    lines = [_text(line, Limit.LINE) for line in as_list(address.get("line"))]
    for part in ("city", "district"):
        town = _text(address.get(part), Limit.LINE)
        if town.casefold() not in (line.casefold() for line in lines):
            lines.append(town)
    sent = _text(address.get("postalCode"), Limit.POSTCODE)
    if not any(lines):
        lines = [_text(address.get("text"), Limit.LINE).removesuffix(sent).rstrip(" ,")]
    kept = [line for line in lines if line][: Limit.LINES]
    return tuple(kept), _postcode(sent)


def _postcode(text: str) -> str:
    """In its one form where it is one; else as it was sent."""
    try:
        return read_postcode(text)
    except InvalidValue:
        return text


def _contacts(patient: Resource, now: datetime) -> Iterator[ContactDetails]:
    """Patient.contact by rank, then the patient's own telecoms as one more contact."""
    ranked = sorted(dicts(patient.get("contact")), key=_contact_rank)
    yield from (_read_contact(each, now) for each in ranked)
    own = _telecoms(patient.get("telecom"), now)
    if own:
        yield ContactDetails(relationship=ContactRelationship.SELF.value, telecoms=own)


def _contact_rank(contact: Resource) -> int:
    return rank_of(extension(contact, profiles.EXTENSION_CONTACT_RANK).get("valuePositiveInt"))


def _read_contact(contact: Resource, now: datetime) -> ContactDetails:
    name = as_dict(contact.get("name"))
    code, words = _read_relationship(contact.get("relationship"))
    return ContactDetails(
        relationship=code,
        given_names=_joined(name.get("given"), Limit.NAME),
        family_name=_family(name),
        telecoms=_telecoms(contact.get("telecom"), now),
        relationship_text=words,
        gender=str(Gender.lookup(contact.get("gender")) or ""),
    )


def _read_relationship(concepts: object) -> tuple[str, str]:
    """A v3-RoleCode, or the words of whatever else was sent."""
    for coding in codings(concepts):
        system, code = as_text(coding.get("system")), as_text(coding.get("code"))
        if same_system(system, ContactRelationship.SELF.system):
            return _text(code, Limit.RELATIONSHIP), ""
        if same_system(system, _CONTACT_ROLE) and code == UNKNOWN_RELATIONSHIP:
            return UNKNOWN_RELATIONSHIP, ""
    words: Iterable[str] = (
        as_text(concept.get("text")) or next((as_text(each.get("display")) for each in codings(concept)), "")
        for concept in dicts(concepts)
    )
    return "", _text(next((each for each in words if each), ""), Limit.RELATIONSHIP_TEXT)


def _telecoms(elements: object, now: datetime) -> tuple[Telecom, ...]:
    """The one to try first comes first; what is not theirs any more comes last and says so."""
    read = (
        Telecom(
            system=str(TelecomSystem.lookup(each.get("system")) or TelecomSystem.OTHER),
            value=_text(each.get("value"), Limit.TELECOM),
            use=str(TelecomUse.lookup(each.get("use")) or "")
            if is_valid(each, now)
            else TelecomUse.OLD.value,
        )
        for each in best_first(elements, now)
    )
    return tuple(islice((each for each in read if each.value), Limit.TELECOMS))
