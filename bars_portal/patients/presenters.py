"""Patients and contacts in the words that pages show."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date

from bars_portal.nhsuk.dates import format_datetime
from bars_portal.nhsuk.words import format_nhs_number, format_phone, summary_rows
from bars_portal.patients.details import (
    ADDRESS_USES,
    ETHNIC_CATEGORIES,
    LANGUAGES,
    RELATIONSHIPS,
    ContactDetails,
    PatientDetails,
    Telecom,
)
from bars_portal.patients.models import Patient
from bars_portal.patients.selectors import details_of

_PHONES = {
    "home": "Home phone",
    "work": "Work phone",
    "mobile": "Mobile phone",
    "temp": "Temporary phone",
    "old": "Old phone (not in use)",
}
_OTHER_WAYS = {"email": "Email", "sms": "Text message"}


@dataclass(frozen=True)
class PatientBanner:
    """What the patient_banner component reads."""

    family_name: str
    given_names: str
    prefix: str
    birth_date: date | None
    gender: str
    nhs_number: str
    nhs_number_verified: bool
    birth_partly: str = ""
    died: str = ""


@dataclass(frozen=True)
class ContactWay:
    """One way to reach somebody: "Mobile phone", "07700 900123"."""

    label: str
    value: str


@dataclass(frozen=True)
class ContactLine:
    """`who` is a relationship in words; `name` may be ""."""

    who: str
    name: str
    ways: tuple[ContactWay, ...]


def banner(patient: Patient | PatientDetails) -> PatientBanner:
    return PatientBanner(*(getattr(patient, each.name) for each in fields(PatientBanner)))


def contact_lines(patient: Patient | PatientDetails) -> tuple[ContactLine, ...]:
    """In rank order: the first is the call-back."""
    details = details_of(patient) if isinstance(patient, Patient) else patient
    return tuple(_line(contact) for contact in details.contacts)


def relationship_words(contact: ContactDetails) -> str:
    """A code without words of its own is left to staff: here it is a contact."""
    return RELATIONSHIPS.get(contact.relationship) or contact.relationship_text or "Contact"


def address_text(patient: Patient | PatientDetails) -> str:
    """One line: "1 Sample Row, Leeds, LS1 4AP"; "" when none is known."""
    return ", ".join(part for part in (*patient.address_lines, patient.postcode) if part)


def practice_text(patient: Patient | PatientDetails) -> str:
    """ "The Surgery (A81001)", as far as it is known."""
    code = f"({patient.practice_code})" if patient.practice_name else patient.practice_code
    return f"{patient.practice_name} {code if patient.practice_code else ''}".strip()


def _line(contact: ContactDetails) -> ContactLine:
    name = " ".join(part for part in (contact.given_names, contact.family_name) if part)
    return ContactLine(relationship_words(contact), name, tuple(_way(each) for each in contact.telecoms))


def _way(telecom: Telecom) -> ContactWay:
    if telecom.system == "phone":
        return ContactWay(_PHONES.get(telecom.use, "Phone"), format_phone(telecom.value))
    label = _OTHER_WAYS.get(telecom.system, "Other")
    return ContactWay(f"Work {label.lower()}" if telecom.use == "work" else label, telecom.value)


def other_numbers(patient: Patient | PatientDetails) -> Iterator[tuple[str, str]]:
    """Each as what it is: a former number still finds records of theirs."""
    for number in patient.numbers:
        if number.value != patient.nhs_number:
            label = "Former NHS number" if number.superseded else "Other NHS number"
            state = "superseded" if number.superseded else "verified" if number.verified else "not verified"
            yield label, f"{format_nhs_number(number.value)}, {state}"


def traced_words(patient: Patient | PatientDetails) -> str:
    """Where, by whom and when; "" without a declaration."""
    if isinstance(patient, PatientDetails) or patient.traced_at is None:
        return patient.traced_in
    return f"{patient.traced_in}, {patient.traced_by}, {format_datetime(patient.traced_at)}"


def untraced_words(details: PatientDetails, *, sends_untraced: bool = False) -> str:
    """What becomes of a number that was only typed; "" for none."""
    if not details.nhs_number or details.nhs_number_verified:
        return ""
    if sends_untraced:
        return "Nobody has said where the NHS number was traced: it is sent as not traced."
    return "Nobody has said where the NHS number was traced: it is kept here and not sent."


def patient_rows(patient: Patient | PatientDetails) -> list[dict[str, str]]:
    """What the banner does not say: where the patient lives, and whom to call."""
    rows = [("NHS number traced", traced_words(patient)), ("Address", address_text(patient))]
    rows.append(("Kind of address", ADDRESS_USES.get(patient.address_use, "")))
    rows.append(("Preferred language", LANGUAGES.get(patient.language, patient.language)))
    ethnic_category = ETHNIC_CATEGORIES.get(patient.ethnic_category, patient.ethnic_category)
    rows.append(("Ethnic category", ethnic_category))
    rows += other_numbers(patient)
    rows.append(("GP practice", practice_text(patient)))
    rows.append(("Local patient number", patient.local_number))
    for number, line in enumerate(contact_lines(patient)):
        label = "Call back" if number == 0 else f"Contact {number + 1}"
        who = f"{line.who}: {line.name}" if line.name else line.who
        ways = ", ".join(f"{way.label} {way.value}" for way in line.ways)
        rows.append((label, f"{who}. {ways}" if ways else who))
    return summary_rows(rows)
