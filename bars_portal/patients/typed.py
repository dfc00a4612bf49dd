"""A known patient as if they had been typed, and the published test patients."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.conf import settings

from bars_portal.patients.details import (
    ContactDetails,
    PatientDetails,
    Telecom,
)
from bars_portal.patients.forms import PatientForm

# A known patient as typed, so that nothing has to be typed again.
TestPatient = tuple[str, str, str, str, str, str]

_DATE_PARTS = ("birth_date-day", "birth_date-month", "birth_date-year")
_NAMES = (*(name for name in PatientForm.base_fields if name != "birth_date"), *_DATE_PARTS)
# PostgreSQL keeps no null bytes: the substitute is refused by every field, in words, just as they are.
_NULL, _SUBSTITUTE = "\x00", "\x1a"


def typed_answers(posted: Mapping[str, str]) -> dict[str, str]:
    """What was typed into the patient form, valid or not; what is no answer of the form is left out."""
    return {name: posted.get(name, "").replace(_NULL, _SUBSTITUTE) for name in _NAMES}


def answers_from(details: PatientDetails) -> dict[str, str]:
    """Form answers, dates in their three parts."""
    initial: dict[str, Any] = PatientForm.initial_from(details)
    born = PatientForm.base_fields["birth_date"].prepare_value(initial.pop("birth_date"))
    ticked = {name: "on" for name, value in initial.items() if value is True}
    answers = {name: str(value) for name, value in initial.items() if not isinstance(value, bool)}
    return answers | ticked | dict(zip(_DATE_PARTS, born, strict=True))


def is_as_known(known: PatientDetails, typed: PatientDetails, *, today: date) -> bool:
    """Whether nothing new was typed: what the form says when it is sent as it was shown.

    The form spells a number as +44..., where a message that was received has 0...; that is no other patient.
    """
    if typed == known:
        return True
    untouched = PatientForm(answers_from(known), today=today)
    return untouched.is_valid() and untouched.to_details() == typed


# The published test patients are of the test PDS.
_TEST_TRACE = "PDS (test data)"


def answers_of_test_patient(patient: TestPatient) -> dict[str, str]:
    """One of the published test patients (settings.TEST_PATIENTS), with a number nobody has."""
    family, given, born, nhs_number, gender, postcode = patient
    return answers_from(
        PatientDetails(
            nhs_number=nhs_number,
            nhs_number_verified=True,
            traced_in=_TEST_TRACE,
            address_use="home",
            given_names=given,
            family_name=family,
            gender=gender,
            birth_date=date.fromisoformat(born),
            address_lines=("1 Sample Street",),
            postcode=postcode,
            contacts=(ContactDetails("ONESELF", telecoms=(Telecom("phone", "+447700900123", "mobile"),)),),
        )
    )


def test_patients() -> list[tuple[int, str]]:
    """The demo's published test patients as (number, name); nothing elsewhere."""
    known = getattr(settings, "TEST_PATIENTS", ())
    return [(number, f"{family.upper()}, {given}") for number, (family, given, *_) in enumerate(known)]
