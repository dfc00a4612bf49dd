"""How a service is asked for what it holds of a patient."""

from bars_portal.exchange.fhir.identifiers import NHS_NUMBER_SYSTEM
from bars_portal.patients.models import Patient
from directory.remote import Missing, Params


def patient_params(patient: Patient) -> Params:
    """A search by NHS number, else by name, birth date and postcode. Raises Missing when neither is known."""
    if patient.nhs_number and patient.nhs_number_verified:
        return [("patient:identifier", f"{NHS_NUMBER_SYSTEM}|{patient.nhs_number}")]
    if not (patient.family_name and patient.birth_date and patient.postcode):
        raise Missing
    return [
        ("patient:name", patient.family_name),
        ("patient:birthdate", f"eq{patient.birth_date.isoformat()}"),
        ("patient:address-postalcode", patient.postcode),
    ]
