"""A FHIR Patient as our details, tolerantly: the stored message is the record, and this its index. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from bars_portal.exchange.fhir import profiles
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import (
    ContactRelationship,
    Gender,
    TelecomSystem,
    TelecomUse,
)
from bars_portal.exchange.fhir.identifiers import (
    ODS_SYSTEM,
    is_verified,
    nhs_identifiers,
    same_system,
)
from bars_portal.exchange.fhir.json import as_dict, as_list, as_text, codings, dicts, extension
from bars_portal.exchange.fhir.people import best_first, chosen, is_valid, rank_of
from bars_portal.patients.details import (
    ADDRESS_USES,
    DIED,
    UNKNOWN_RELATIONSHIP,
    ContactDetails,
    Limit,
    OtherNumber,
    PatientDetails,
    Telecom,
    known_birth,
    known_death,
)
from bars_portal.patients.mapping import CONTACT_ROLE_SYSTEM
from bars_portal.values import InvalidValue, compact, read_postcode

Resource = dict[str, Any]

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
        if same_system(system, CONTACT_ROLE_SYSTEM) and code == UNKNOWN_RELATIONSHIP:
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
