"""Who it is about, who asks, who responds, for whom, and on what ground data is shared."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bars_portal.correspondence.entries import Entry, Parties
from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.fhir.codes import ConsentCategory
from bars_portal.exchange.fhir.identifiers import SDS_ROLE_PROFILE_SYSTEM
from bars_portal.exchange.fhir.people import dialled_phone
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.mapping import patient_entries
from referrals.cases.wire import HeldRequest, head
from referrals.parts.base import SNOMED, Frame, coding, filled

STAFF_SYSTEM = "https://bars-portal.local/Id/staff"


@dataclass(frozen=True)
class Requester:
    """The person who asks; each part may be "" but one of the names.

    `is_clinical`: in the organisation for which they ask; nobody else is the author of a plan. `staff_id`:
    what this portal, or the system behind `staff_system`, calls them, for who has no SDS role profile id.
    `phone`: of their work.
    """

    family_name: str
    given_names: str = ""
    role_profile_id: str = ""
    role_code: str = ""
    role_display: str = ""
    is_clinical: bool = False
    staff_id: str = ""
    phone: str = ""
    staff_system: str = STAFF_SYSTEM


def people_entries(
    frame: Frame,
    *,
    patient: PatientDetails,
    requester: Requester,
    parties: Parties,
    sends_untraced: bool,
) -> list[Entry]:
    # Its id is the receiver's to give, in the answer.
    service = {name: each for name, each in parties.service.items() if name != "id"}
    service["providedBy"] = frame.ref("receiver")
    return [
        *patient_entries(
            patient,
            url=frame.url("patient"),
            practice_url=frame.url("practice"),
            now=frame.now,
            sends_untraced=sends_untraced,
        ),
        (frame.url("practitioner"), _practitioner(frame, requester)),
        (frame.url("role"), _role(frame, requester)),
        (frame.url("service"), service),
        (frame.url("receiver"), parties.receiver),
        (frame.url("sender"), parties.sender),
    ]


def _practitioner(frame: Frame, requester: Requester) -> Resource:
    name = filled({"family": requester.family_name, "given": requester.given_names.split()})
    phone = {"system": "phone", "value": dialled_phone(requester.phone), "use": "work"}
    return filled(
        {
            **frame.head("Practitioner"),
            "identifier": _numbers(requester),
            "name": [name],
            "telecom": [phone] if requester.phone else [],
        }
    )


def _role(frame: Frame, requester: Requester) -> Resource:
    return filled(
        {
            **frame.head("PractitionerRole"),
            "practitioner": frame.ref("practitioner"),
            "organization": frame.ref("sender"),
            "code": _codes(requester),
        }
    )


class Consent(StrEnum):
    """On what ground the patient's data is shared for direct care, as it is kept here."""

    IMPLIED = "IMPLIED"
    GIVEN = "OPTIN"


_SCOPE = {
    "system": "http://terminology.hl7.org/CodeSystem/consentscope",
    "code": "patient-privacy",
    "display": "Privacy Consent",
}
_ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


def consent_entry(frame: Frame) -> Entry:
    """Implied, whatever the patient said: the guide supports no other ground of direct care."""
    return frame.url("consent"), {
        **frame.head("Consent"),
        "status": "active",
        "scope": {"coding": [_SCOPE]},
        "category": [{"coding": [ConsentCategory.DIRECT_CARE.coding]}],
        "patient": frame.ref("patient"),
        "dateTime": frame.stamp,
        "organization": [frame.ref("sender")],
        "policyRule": {"coding": [coding(_ACT_CODE, "IMPLIED", "implied consent")]},
    }


RECEIVER, SENDER = "requester-organisation", "responder-organisation"
PEOPLE: Collection[str] = ("Organization", "Practitioner", "PractitionerRole")


@dataclass(frozen=True)
class Organisations:
    """Organization resources: ours, and that of whoever asked."""

    sender: Resource = field(repr=False)
    receiver: Resource = field(repr=False)


@dataclass(frozen=True)
class Responder:
    """The person who answers; the SDS role profile id and the SNOMED role where they are known."""

    name: str
    role_profile_id: str = ""
    role_code: str = ""
    role_display: str = ""
    staff_id: str = ""
    staff_system: str = STAFF_SYSTEM


def responder_url(held: HeldRequest, responder: Responder) -> str:
    """fullUrl of the Practitioner; two colleagues of one case are two."""
    return held.part_url(f"answerer|{responder.role_profile_id}|{responder.name}")


def responder_role_url(held: HeldRequest, responder: Responder) -> str:
    """fullUrl of the PractitionerRole: the author of an outcome, which only clinicians give."""
    return held.part_url(f"role|{responder.role_profile_id}|{responder.name}")


def responder_entries(
    held: HeldRequest, organisations: Organisations, responder: Responder, now: datetime
) -> list[Entry]:
    """Both organisations, our person in their role, and everybody whom the request named."""
    url = responder_url(held, responder)
    role_url = responder_role_url(held, responder)
    return [
        (held.part_url(RECEIVER), organisations.receiver),
        (held.part_url(SENDER), organisations.sender),
        (url, _responder(responder, now)),
        (role_url, _responder_role(responder, url, held.part_url(SENDER), now)),
        *held.of_types(PEOPLE),
    ]


def _responder(responder: Responder, now: datetime) -> Resource:
    name = [{"text": responder.name}]
    return filled({**head("Practitioner", now), "name": name, "identifier": _numbers(responder)})


def _responder_role(responder: Responder, practitioner: str, organisation: str, now: datetime) -> Resource:
    return filled(
        {
            **head("PractitionerRole", now),
            "practitioner": {"reference": practitioner},
            "organization": {"reference": organisation},
            "code": _codes(responder),
        }
    )


def _numbers(person: Requester | Responder) -> list[Resource]:
    """Everybody has one: of the national directory, else ours."""
    if person.role_profile_id:
        return [{"system": SDS_ROLE_PROFILE_SYSTEM, "value": person.role_profile_id}]
    return [{"system": person.staff_system, "value": person.staff_id}] if person.staff_id else []


def _codes(person: Requester | Responder) -> list[Resource]:
    return [{"coding": [coding(SNOMED, person.role_code, person.role_display)]}] if person.role_code else []
