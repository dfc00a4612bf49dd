"""A known patient as the answers of the patient form, so that nothing has to be typed again. Pure."""

from datetime import date
from typing import Any

from bars_portal.patients.details import ContactDetails, PatientDetails, Telecom
from bars_portal.patients.forms import PatientForm

TestPatient = tuple[str, str, str, str, str, str]


def answers_from(details: PatientDetails) -> dict[str, str]:
    """Form answers, dates in their three parts."""
    initial: dict[str, Any] = PatientForm.initial_from(details)
    born, verified = initial.pop("birth_date"), initial.pop("nhs_number_verified")
    answers = {name: str(value) for name, value in initial.items()}
    if verified:
        answers["nhs_number_verified"] = "on"
    return answers | (_three_parts(born) if born else {})


def answers_of_test_patient(patient: TestPatient) -> dict[str, str]:
    """One of the published test patients (settings.TEST_PATIENTS), with a number nobody has."""
    family, given, born, nhs_number, gender, postcode = patient
    return answers_from(
        PatientDetails(
            nhs_number=nhs_number,
            nhs_number_verified=True,
            given_names=given,
            family_name=family,
            gender=gender,
            birth_date=date.fromisoformat(born),
            address_lines=("1 Sample Street",),
            postcode=postcode,
            contacts=(ContactDetails("ONESELF", telecoms=(Telecom("phone", "+447700900123", "mobile"),)),),
        )
    )


def _three_parts(day: date) -> dict[str, str]:
    return {
        "birth_date-day": str(day.day),
        "birth_date-month": str(day.month),
        "birth_date-year": str(day.year),
    }
