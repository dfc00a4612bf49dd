"""Who is it about, who asks, and for whom: Patient, Practitioner, PractitionerRole, both organisations."""

from dataclasses import dataclass

from bars_portal.correspondence.entries import Parties
from bars_portal.exchange.fhir.identifiers import SDS_ROLE_PROFILE_SYSTEM
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.mapping import patient_to_fhir
from referrals.content import BirthSex
from referrals.mapping.requests.frame import SNOMED, Entry, Frame, Resource, filled

BIRTH_SEX = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-BirthSex"


@dataclass(frozen=True)
class Requester:
    """The person who asks; each part may be "" but one of the names."""

    family_name: str
    given_names: str = ""
    role_profile_id: str = ""
    role_code: str = ""
    role_display: str = ""


def people_entries(
    frame: Frame,
    *,
    patient: PatientDetails,
    birth_sex: BirthSex | None,
    requester: Requester,
    parties: Parties,
) -> list[Entry]:
    service = {**parties.service, "providedBy": frame.ref("receiver")}
    return [
        (frame.url("patient"), _patient(frame, patient, birth_sex)),
        (frame.url("practitioner"), _practitioner(frame, requester)),
        (frame.url("role"), _role(frame, requester)),
        (frame.url("service"), service),
        (frame.url("receiver"), parties.receiver),
        (frame.url("sender"), parties.sender),
    ]


def _patient(frame: Frame, details: PatientDetails, birth_sex: BirthSex | None) -> Resource:
    patient = patient_to_fhir(details, now=frame.now)
    if birth_sex is None:
        return patient
    return {**patient, "extension": [{"url": BIRTH_SEX, "valueCode": birth_sex.value}]}


def _practitioner(frame: Frame, requester: Requester) -> Resource:
    name = filled({"family": requester.family_name, "given": requester.given_names.split()})
    number = {"system": SDS_ROLE_PROFILE_SYSTEM, "value": requester.role_profile_id}
    identifier = [number] if requester.role_profile_id else []
    return filled({**frame.head("Practitioner"), "identifier": identifier, "name": [name]})


def _role(frame: Frame, requester: Requester) -> Resource:
    coding = filled({"system": SNOMED, "code": requester.role_code, "display": requester.role_display})
    return filled(
        {
            **frame.head("PractitionerRole"),
            "practitioner": frame.ref("practitioner"),
            "organization": frame.ref("sender"),
            "code": [{"coding": [coding]}] if requester.role_code else [],
        }
    )
