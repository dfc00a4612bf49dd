"""Patients and journeys for tests. NHS numbers are of the test range."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from bars_portal.accounts.models import Organisation
from bars_portal.audit.actor import SYSTEM
from bars_portal.patients.details import ContactDetails, PatientDetails, Telecom
from bars_portal.patients.models import Journey, Patient
from bars_portal.patients.services import create_patient, open_journey
from tests.factories.accounts import make_organisation

NOW = datetime(2026, 7, 14, 9, 30, tzinfo=UTC)
DETAILS = PatientDetails(
    nhs_number="9449306621",
    nhs_number_verified=True,
    traced_in="PDS",
    prefix="Mrs",
    given_names="Ada Mary",
    family_name="Quill",
    gender="female",
    birth_date=date(1945, 7, 14),
    address_lines=("1 Sample Row", "Leeds"),
    city="Leeds",
    postcode="LS1 4AP",
    contacts=(
        ContactDetails(
            relationship="ONESELF",
            telecoms=(
                Telecom("phone", "07700 900123", "mobile"),
                Telecom("email", "ada@example.org", "home"),
            ),
        ),
    ),
)

# As the form keeps a number; DETAILS has it as messages carry it.
_PHONE = Telecom("phone", "+447700900123", "mobile")
_SELF = DETAILS.contacts[0]
TYPED = replace(DETAILS, contacts=(replace(_SELF, telecoms=(_PHONE, *_SELF.telecoms[1:])),))


def make_details(**changes: Any) -> PatientDetails:
    """A complete patient, with `changes` to any attribute of PatientDetails."""
    return replace(DETAILS, **changes)


def make_journey(*, organisation: Organisation | None = None, now: datetime = NOW) -> Journey:
    return open_journey(organisation=organisation or make_organisation(), now=now)


def make_patient(
    *,
    organisation: Organisation | None = None,
    journey: Journey | None = None,
    details: PatientDetails = DETAILS,
    now: datetime = NOW,
) -> Patient:
    owner = organisation or (journey.organisation if journey else make_organisation())
    return create_patient(
        details=details,
        organisation=owner,
        journey=journey or make_journey(organisation=owner),
        now=now,
        declared_by=SYSTEM,
    )
