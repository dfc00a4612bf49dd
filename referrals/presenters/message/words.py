"""Dates, codes and names of code systems in the words of the page."""

import re
from calendar import month_name
from datetime import date, datetime

from bars_portal.exchange.fhir.codes import KNOWN_CODES
from bars_portal.exchange.fhir.identifiers import same_system
from bars_portal.exchange.fhir.timestamps import InvalidInstant, parse_instant
from bars_portal.nhsuk.dates import format_date, format_datetime
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
}
_PARTIAL = re.compile(r"(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
# Some senders write line ends as the characters "/n" or "\\n".
_WRITTEN_LINE_END = re.compile(r"[ \t]*[/\\]n(?=\s|\\n|/n|$)[ \t]*")


def date_words(text: str) -> str:
    """A FHIR date, dateTime or instant in London time; anything else as it was sent."""
    moment = read_moment(text)
    if moment is not None:
        return format_datetime(moment)
    if partial := _PARTIAL.fullmatch(text):
        return f"{month_name[int(partial['month'])]} {partial['year']}"
    if not _DAY.fullmatch(text):
        return text
    try:
        return format_date(date.fromisoformat(text))
    except ValueError:
        return text


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
