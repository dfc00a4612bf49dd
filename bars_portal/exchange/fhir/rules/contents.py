"""What a message says: whom to call back, when to come, the consent; and the codes of known systems."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import KNOWN_CODES, ConsentCategory, Gender
from bars_portal.exchange.fhir.identifiers import (
    ODS_SYSTEM,
    SERVICE_ID_SYSTEM,
    is_uuid,
    is_verified,
    nhs_identifiers,
    read_nhs_number,
    same_system,
)
from bars_portal.exchange.fhir.json import HISTORY, as_dict, as_text, codings, dicts, extension
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode
from bars_portal.exchange.fhir.profiles import EXTENSION_CONTACT_RANK
from bars_portal.exchange.fhir.rules.model import Facts, Rule, Severity, located, scan
from bars_portal.exchange.fhir.timestamps import InvalidInstant, parse_instant


def contact_rank(contact: dict[str, Any]) -> int | None:
    """The rank of a Patient.contact, from its extension; None when it has none."""
    value = extension(contact, EXTENSION_CONTACT_RANK).get("valuePositiveInt")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _call_back(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    for patient in bundle.of_type("Patient")[:1]:
        path = f"{bundle.path_of(patient)}.contact"
        first = [each for each in dicts(patient.get("contact")) if contact_rank(each) == 1]
        if not first:
            yield Issue(OutcomeCode.INVARIANT, "No Patient.contact has rank 1", (path,))
        elif len(first) > 1:
            yield Issue(OutcomeCode.INVARIANT, "More than one Patient.contact has rank 1", (path,))
        elif not any(as_text(each.get("value")) for each in dicts(first[0].get("telecom"))):
            words = "The Patient.contact with rank 1 has no telecom with a value"
            yield Issue(OutcomeCode.INVARIANT, words, (f"{path}.telecom",))


def _ranks(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    """Only warnings: the official examples fall short here themselves."""
    for patient in bundle.of_type("Patient")[:1]:
        for position, contact in enumerate(dicts(patient.get("contact"))):
            path = f"{bundle.path_of(patient)}.contact[{position}]"
            telecom_ranks = [each.get("rank") for each in dicts(contact.get("telecom"))]
            if contact_rank(contact) is None:
                yield _warning("A Patient.contact has no rank", path)
            if None in telecom_ranks:
                yield _warning("A telecom of a Patient.contact has no rank", f"{path}.telecom")
            if telecom_ranks.count(1) > 1:
                yield _warning("More than one telecom of a Patient.contact has rank 1", f"{path}.telecom")


def _warning(words: str, path: str) -> Issue:
    return Issue(OutcomeCode.INVARIANT, words, (path,), warning=True)


_GENDERED = ("Patient", "RelatedPerson", "Practitioner", "Person")


def _gender(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    """FHIR R4 has these four and no others: "F" would read as not known, though somebody knew it.

    A cancel is taken all the same, or a patient would be waited for.
    """
    noted = facts.row is not None and facts.row.is_stripped
    for kind in _GENDERED:
        for resource in bundle.of_type(kind):
            path = bundle.path_of(resource)
            contacts = enumerate(dicts(resource.get("contact")))
            held = [(path, resource), *((f"{path}.contact[{at}]", each) for at, each in contacts)]
            for place, each in held:
                if "gender" in each and Gender.lookup(each["gender"]) is None:
                    words = f"{place}.gender is not a code of administrative-gender"
                    yield Issue(OutcomeCode.VALUE, words, (f"{place}.gender",), warning=noted)


# Which elements say whom a resource is about, and what names nobody, or somebody who is no patient.
_ABOUT = ("subject", "patient", "for")
_NO_PATIENTS = frozenset(
    {"Practitioner", "PractitionerRole", "Organization", "HealthcareService", "Location", "Device", "Group"}
    | {"CareTeam"}
)
_STAFF_OR_KIN = frozenset({"Practitioner", "PractitionerRole", "RelatedPerson", "Person"})
_ADDRESS = re.compile(r"(?:https?://|urn:oid:)\S+")


def _is_about_the_patient(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    """Of a cancelled booking the booking itself decides (422): it may name what was booked."""
    if facts.row is not None and facts.row.is_stripped and facts.row.focus_type == "Appointment":
        return
    for _, resource in bundle.entries:
        for place, named in _people_named(resource):
            if _is_somebody_else(bundle, place, named):
                path = f"{bundle.path_of(resource)}.{place}"
                words = f"{path} names somebody else than the Patient of the Bundle"
                yield Issue(OutcomeCode.INVARIANT, words, (path,))


def _people_named(resource: Resource) -> Iterator[tuple[str, Resource]]:
    """FHIRPath within the resource and Reference."""
    for name in _ABOUT:
        if isinstance(named := resource.get(name), dict):
            yield name, named
    if resource.get("resourceType") == "Appointment":
        for position, each in enumerate(dicts(resource.get("participant"))):
            yield f"participant[{position}].actor", as_dict(each.get("actor"))


def _is_somebody_else(bundle: MessageBundle, place: str, named: Resource) -> bool:
    """By an address that the Bundle has not, or an identifier that its Patient has not."""
    text, found = as_text(named.get("reference")), bundle.resolve(named)
    kind = as_text(named.get("type")) or as_text((found or {}).get("resourceType")) or _kind_in(text)
    if place in _ABOUT and found is not None and kind in _STAFF_OR_KIN:
        return True
    if kind in _NO_PATIENTS or names_patient(bundle, named):
        return False
    return bool(_bare(named.get("identifier")) or (found is None and _ADDRESS.fullmatch(text)))


def names_patient(bundle: MessageBundle, named: Resource) -> bool:
    """Whether a Reference says that it is the Patient of the Bundle: by its address, or an identifier."""
    found, identifier = bundle.resolve(named), as_dict(named.get("identifier"))
    if found is not None and found.get("resourceType") != "Patient":
        return False
    if not _bare(identifier):
        return found is not None
    held = bundle.of_type("Patient") if found is None else [found]
    return _has_identifier(held, identifier, must_have=found is None)


def _kind_in(address: str) -> str:
    """`Patient` of https://example.org/fhir/Patient/1/_history/2."""
    return address.partition(HISTORY)[0].rpartition("/")[0].rpartition("/")[2]


def _has_identifier(held: Sequence[Resource], identifier: Resource, *, must_have: bool) -> bool:
    """Whether one of them has it; who has none of that system may have it, unless nothing else names them."""
    system, value = as_text(identifier.get("system")), _bare(identifier)
    theirs = [
        _bare(each)
        for resource in held
        for each in dicts(resource.get("identifier"))
        if same_system(as_text(each.get("system")), system)
    ]
    return value in theirs or not (theirs or must_have)


def _bare(identifier: object) -> str:
    return "".join(as_text(as_dict(identifier).get("value")).split())


def _appointment(bundle: MessageBundle) -> Resource | None:
    """The focus when it is an Appointment; other messages have none to judge."""
    focus = bundle.focus
    return focus if focus is not None and focus.get("resourceType") == "Appointment" else None


def _times(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    appointment = _appointment(bundle)
    if appointment is None or facts.row is None:
        return
    path = bundle.path_of(appointment)
    read: dict[str, datetime] = {}
    for name in ("start", "end"):
        if not as_text(appointment.get(name)):
            yield Issue(OutcomeCode.REQUIRED, f"Appointment.{name} is missing", (f"{path}.{name}",))
            continue
        try:
            read[name] = parse_instant(as_text(appointment.get(name)))
        except InvalidInstant:
            words = f"Appointment.{name} is not a date and time with an offset"
            yield Issue(OutcomeCode.VALUE, words, (f"{path}.{name}",))
    if len(read) == 2 and read["end"] <= read["start"]:
        yield Issue(OutcomeCode.INVARIANT, "Appointment.end is not after Appointment.start", (f"{path}.end",))


def _slot(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    appointment = _appointment(bundle)
    if appointment is None or facts.row is None or facts.row.is_stripped:
        return
    path = f"{bundle.path_of(appointment)}.slot"
    reference = next(dicts(appointment.get("slot")), None)
    slot = bundle.resolve(reference)
    if reference is None:
        yield Issue(OutcomeCode.REQUIRED, "Appointment.slot is missing", (path,))
    elif slot is not None and slot.get("resourceType") != "Slot":
        yield Issue(OutcomeCode.INVARIANT, "Appointment.slot does not point at a Slot", (path,))
    elif slot is not None:
        yield from _slot_id(bundle, slot)


def _slot_id(bundle: MessageBundle, slot: Resource) -> Iterator[Issue]:
    path, ident = f"{bundle.path_of(slot)}.id", as_text(slot.get("id"))
    if not ident:
        yield Issue(OutcomeCode.REQUIRED, "Slot.id is missing: it says which slot is booked", (path,))
    elif not is_uuid(ident):
        yield Issue(OutcomeCode.VALUE, "Slot.id is not a UUID", (path,))


def _direct_care(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    for consent in bundle.of_type("Consent"):
        if not any(map(_is_direct_care, codings(consent.get("category")))):
            path = f"{bundle.path_of(consent)}.category"
            yield Issue(OutcomeCode.INVARIANT, "Consent.category is not DRC, direct care", (path,))


def _is_direct_care(coding: dict[str, Any]) -> bool:
    system = as_text(coding.get("system"))
    known = not system or same_system(system, ConsentCategory.DIRECT_CARE.system)
    return known and coding.get("code") == ConsentCategory.DIRECT_CARE


# -- identifiers and codes of the systems that we know: recorded, for official examples fall short too

_SYSTEMS = (("Organization", ODS_SYSTEM), ("HealthcareService", SERVICE_ID_SYSTEM))


def _nhs_number(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    for patient in bundle.of_type("Patient"):
        path = (f"{bundle.path_of(patient)}.identifier",)
        for identifier in nhs_identifiers(patient):
            if read_nhs_number(identifier) is None:
                words = "The NHS number fails its check, so it is not used to find the patient"
                yield Issue(OutcomeCode.VALUE, words, path, warning=True)
            elif not is_verified(identifier):
                words = "The NHS number is not marked as verified, so it is not used to find the patient"
                yield Issue(OutcomeCode.VALUE, words, path, warning=True)


def _systems(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    for kind, expected in _SYSTEMS:
        for resource in bundle.of_type(kind):
            for identifier in dicts(resource.get("identifier")):
                system = as_text(identifier.get("system"))
                if system != expected and same_system(system, expected):
                    words = f"The identifier system of a resource of type {kind} is not written {expected}"
                    path = f"{bundle.path_of(resource)}.identifier"
                    yield Issue(OutcomeCode.VALUE, words, (path,), warning=True)


def _codes(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    wrong = [
        (resource, coding)
        for resource, coding in (facts.elements or scan(bundle)).codings
        if (known := KNOWN_CODES.get(coding["system"])) is not None and coding["code"] not in known
    ]
    for path, coding in located(bundle, wrong):
        words = f"{path} has a code that {coding['system']} does not have"
        yield Issue(OutcomeCode.VALUE, words, (f"{path}.code",), warning=True)


def _displays(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    wrong = [
        (resource, coding)
        for resource, coding in (facts.elements or scan(bundle)).codings
        if isinstance(display := coding.get("display"), str)
        and (expected := KNOWN_CODES.get(coding["system"], {}).get(coding["code"])) is not None
        and display != expected
        and display.casefold() != expected.casefold()
    ]
    for path, _ in located(bundle, wrong):
        words = f"{path} has another display than its code system"
        yield Issue(OutcomeCode.VALUE, words, (f"{path}.display",), warning=True)


RULES = (
    Rule("contact-call-back", "6", "Exactly one contact has rank 1, with a telecom.", _call_back),
    Rule(
        "contact-ranks",
        "6",
        "Every contact and every telecom should have a rank, one telecom rank 1.",
        _ranks,
        Severity.WARNING,
    ),
    Rule(
        "gender",
        "5",
        "A gender is male, female, other or unknown, as FHIR R4 has them; in a cancel another is only noted.",
        _gender,
        Severity.EITHER,
    ),
    Rule(
        "about-the-patient",
        "12",
        "A subject or participant is not somebody else than the Patient of the Bundle, named by an absolute "
        "address or an identifier; in a cancelled booking it may be whoever was booked.",
        _is_about_the_patient,
    ),
    Rule("appointment-times", "6", "The appointment has a start and a later end, with offsets.", _times),
    Rule("appointment-slot", "6", "A new booking names the slot that it takes by its id.", _slot),
    Rule("consent", "6", "A consent is for direct care.", _direct_care),
)

RULES_ON_SYSTEMS = (
    Rule(
        "nhs-number",
        "6",
        "An NHS number should pass its check and be marked as verified; else nobody is matched by it.",
        _nhs_number,
        Severity.WARNING,
    ),
    Rule(
        "identifier-system",
        "6",
        "An ODS code and a service id should be in their systems to the letter.",
        _systems,
        Severity.WARNING,
    ),
    Rule(
        "codes",
        "6",
        "Flags, rejected reasons, priorities, places and categories should have codes of their systems.",
        _codes,
        Severity.WARNING,
    ),
    Rule(
        "displays",
        "6",
        "The display of a code should be that of its code system.",
        _displays,
        Severity.WARNING,
    ),
)
