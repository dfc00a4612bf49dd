"""Dates, codes, code systems and things of a message in the words of the page, so that none shows a GUID."""

import re
from datetime import datetime

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import KNOWN_CODES
from bars_portal.exchange.fhir.identifiers import same_system
from bars_portal.exchange.fhir.json import as_dict, as_list, as_text, codings, dicts
from bars_portal.exchange.fhir.people import name_of_person
from bars_portal.exchange.fhir.timestamps import InvalidInstant, parse_instant
from bars_portal.nhsuk.dates import format_datetime, format_partly
from bars_portal.patients.details import RELATIONSHIPS

# Codes whose words are not simply the code with a capital letter.
_SPECIAL = {
    "noshow": "Did not attend",
    "onleave": "On leave",
    "not-taken": "Not taken",
    "temp": "Temporary",
    "maiden": "Before marriage",
    "both": "Postal and physical",
    "usual": "Usual",
    "sms": "Text message",
    "ok": "OK",
}
# Elements that hold a code of FHIR itself.
CODE_ELEMENTS = frozenset(
    ("status", "intent", "priority", "gender", "type", "category", "criticality", "severity", "use")
)
_CODES = {
    "ActCode": {
        "EMER": "Emergency",
        "VR": "Virtual",
        "AMB": "Ambulatory",
        "FLD": "In the field",
        "HH": "Home health",
        "IMP": "Inpatient",
        "IMPLIED": "Implied consent",
    },
    "consentscope": {"patient-privacy": "Privacy", "treatment": "Treatment", "research": "Research"},
    "RoleCode": RELATIONSHIPS | {"ECON": "Emergency contact"},
    "v2-0131": {"EP": "Emergency contact person", "N": "Next of kin", "C": "Emergency contact"},
    "AdministrativeGender": {"M": "Male", "F": "Female", "UN": "Undifferentiated", "UNK": "Not known"},
    "message-events-bars": {
        "booking-request": "Booking",
        "servicerequest-request": "Request",
        "servicerequest-response": "Answer to a request",
    },
    "message-reason-bars": {"new": "New", "update": "Update", "delete": "Taken back"},
}
_SYSTEMS = {
    "http://snomed.info/sct": "SNOMED CT",
    "https://dmd.nhs.uk": "NHS dictionary of medicines and devices",
    "https://dmd.nhs.uk/": "NHS dictionary of medicines and devices",
    "http://unitsofmeasure.org": "Units of measure (UCUM)",
    "https://fhir.nhs.uk/Id/nhs-number": "NHS number",
    "https://fhir.nhs.uk/Id/ods-organization-code": "ODS code",
    "https://fhir.nhs.uk/Id/dos-service-id": "Service ID",
    "https://fhir.nhs.uk/Id/sds-role-profile-id": "SDS role profile ID",
    "https://fhir.nhs.uk/Id/sds-user-id": "SDS user ID",
    # Of the other service's, as the outcome of a validation tells it (referrals/responding/envelope.py).
    "urn:oid:2.16.840.1.113883.2.1.3.2.4.18.20": "Ambulance case number",
}
# Some senders write line ends as the characters "/n" or "\\n".
_WRITTEN_LINE_END = re.compile(r"[ \t]*[/\\]n(?=\s|\\n|/n|$)[ \t]*")


def date_words(text: str) -> str:
    """A FHIR date, dateTime or instant in London time; anything else as it was sent."""
    moment = read_moment(text)
    if moment is not None:
        return format_datetime(moment)
    return format_partly(text)


def stands(request: Resource) -> bool:
    """Whether somebody still waits for what a ServiceRequest asks; one without a status counts."""
    return as_text(request.get("status")) not in ("revoked", "completed", "entered-in-error")


def read_moment(text: str) -> datetime | None:
    try:
        return parse_instant(text)
    except InvalidInstant:
        return None


def code_words(code: str) -> str:
    """in-progress -> In progress"""
    spaced = code.replace("-", " ").replace("_", " ")
    return _SPECIAL.get(code) or spaced[:1].upper() + spaced[1:]


def known_display(system: str, code: str) -> str:
    """What our own code lists say that a code means; "" when they do not have it."""
    for known, displays in KNOWN_CODES.items():
        if same_system(system, known):
            return displays.get(code, "")
    tail = system.rsplit("/", 1)[-1].removeprefix("v3-")
    return _CODES.get(tail, {}).get(code, "")


def is_published(system: str) -> bool:
    """Whether the standard's own code lists know the system; other displays are words of our own."""
    return any(same_system(system, known) for known in KNOWN_CODES)


def system_name(system: str) -> str:
    """A code system or identifier system by its name; one we cannot name by its address."""
    for known, name in _SYSTEMS.items():
        if same_system(system.lower(), known.lower()):
            return name
    _, found, tail = system.partition("/CodeSystem/")
    if not found:
        _, found, tail = system.partition("/Id/")
    return sentence(tail).removesuffix(" bars") if found and "/" not in tail else system


def sentence(name: str) -> str:
    """ "rejectionComment" or "arp-priority-codes" as words: Rejection comment, Arp priority codes."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    words = re.split(r"[\s\-_]+", spaced.strip())
    lowered = [each if each.isupper() and len(each) > 1 else each.lower() for each in words]
    joined = " ".join(lowered)
    return joined[:1].upper() + joined[1:]


def line_ends(text: str) -> str:
    return _WRITTEN_LINE_END.sub("\n", text)


_PLAIN = {
    "CarePlan": "the care plan",
    "Encounter": "the case",
    "EpisodeOfCare": "the journey",
    "ServiceRequest": "the request",
    "Appointment": "the appointment",
    "Slot": "the slot",
    "Schedule": "the diary",
    "QuestionnaireResponse": "the answers to a questionnaire",
}


GENERIC = frozenset(_PLAIN.values())


def name_in(bundle: MessageBundle, now: datetime, reference: str) -> str:
    """The name of what a reference points at; a target outside the message by its kind; else ""."""
    resource = bundle.resolve(reference)
    if resource is not None:
        return name_of(resource, bundle, now)
    kind = reference.rpartition("/")[0].rpartition("/")[2]
    return f"{sentence(kind)} that is not part of this message" if kind in _PLAIN else ""


def name_of(resource: Resource, bundle: MessageBundle, now: datetime) -> str:
    """Mrs Julie Jones, Sender Organization, Choking: whatever names it best."""
    kind = as_text(resource.get("resourceType"))
    named = _own_name(resource, now) or _person(resource, bundle, now) or concept_name(resource.get("code"))
    if kind in _BY_KIND:
        named = _own_name(resource, now) or _BY_KIND[kind](resource)
    return named or _PLAIN.get(kind) or sentence(kind)


def concept_name(concept: object) -> str:
    """The first display of a CodeableConcept, else its text, else its code."""
    found = list(codings(concept))
    displays = (as_text(each.get("display")) or _known(each) for each in found)
    codes = (as_text(each.get("code")) for each in found)
    text = as_text(as_dict(concept).get("text"))
    return next(filter(None, displays), "") or text or next(filter(None, codes), "")


def _known(coding: Resource) -> str:
    return known_display(as_text(coding.get("system")), as_text(coding.get("code")))


def _own_name(resource: Resource, now: datetime) -> str:
    name = resource.get("name")
    return name if isinstance(name, str) else name_of_person(resource, now)


def _person(resource: Resource, bundle: MessageBundle, now: datetime) -> str:
    """A PractitionerRole is called after its practitioner, else its organisation."""
    if resource.get("resourceType") != "PractitionerRole":
        return ""
    for element in ("practitioner", "organization"):
        target = bundle.resolve(resource.get(element))
        if target is not None and target is not resource:
            return _own_name(target, now)
    return ""


def _case(encounter: Resource) -> str:
    numbers = (as_text(each.get("value")) for each in dicts(encounter.get("identifier")))
    number = next(filter(None, numbers), "")
    return f"case {number}" if number else ""


def _place(location: Resource) -> str:
    """Incident Location, else its first address line."""
    kinds = (concept_name(each) for each in dicts(location.get("type")))
    lines = as_dict(location.get("address")).get("line")
    first = as_text(next(iter(as_list(lines)), ""))
    return next(filter(None, kinds), "") or first


def _answers(response: Resource) -> str:
    """What the questionnaire was about."""
    reasons = (concept_name(each.get("valueCodeableConcept")) for each in dicts(response.get("extension")))
    return next(filter(None, reasons), "")


_BY_KIND = {"Encounter": _case, "Location": _place, "QuestionnaireResponse": _answers}
