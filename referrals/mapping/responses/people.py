"""Who answers, and for whom: the organisations of both sides, and the person."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from bars_portal.correspondence.entries import Entry
from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.fhir.profiles import uk_core
from bars_portal.exchange.fhir.timestamps import format_instant
from referrals.mapping.responses.held import HeldRequest

_ROLE_PROFILE = "https://fhir.nhs.uk/Id/sds-role-profile-id"
_SNOMED = "http://snomed.info/sct"
RECEIVER, SENDER = "requester-organisation", "responder-organisation"
PEOPLE: Collection[str] = ("Organization", "Practitioner", "PractitionerRole")


@dataclass(frozen=True)
class Organisations:
    """Organization resources: ours, and that of whoever asked."""

    sender: Resource = field(repr=False)
    receiver: Resource = field(repr=False)


@dataclass(frozen=True)
class Answerer:
    """The person who answers; the SDS role profile id and the SNOMED role where they are known."""

    name: str
    role_profile_id: str = ""
    role_code: str = ""
    role_display: str = ""


def answerer_url(held: HeldRequest, answerer: Answerer) -> str:
    """fullUrl of the Practitioner; two colleagues of one case are two."""
    return held.part_url(f"answerer|{answerer.role_profile_id}|{answerer.name}")


def people_entries(
    held: HeldRequest, organisations: Organisations, answerer: Answerer, now: datetime
) -> list[Entry]:
    """Both organisations, our person in their role, and everybody whom the request named."""
    url = answerer_url(held, answerer)
    role_url = held.part_url(f"role|{answerer.role_profile_id}|{answerer.name}")
    return [
        (held.part_url(RECEIVER), organisations.receiver),
        (held.part_url(SENDER), organisations.sender),
        (url, _practitioner(answerer, now)),
        (role_url, _role(answerer, url, held.part_url(SENDER), now)),
        *held.of_types(PEOPLE),
    ]


def _practitioner(answerer: Answerer, now: datetime) -> Resource:
    resource: Resource = {**_head("Practitioner", now), "name": [{"text": answerer.name}]}
    if answerer.role_profile_id:
        resource["identifier"] = [{"system": _ROLE_PROFILE, "value": answerer.role_profile_id}]
    return resource


def _role(answerer: Answerer, practitioner: str, organisation: str, now: datetime) -> Resource:
    resource: Resource = {
        **_head("PractitionerRole", now),
        "practitioner": {"reference": practitioner},
        "organization": {"reference": organisation},
    }
    if answerer.role_code:
        coding = {"system": _SNOMED, "code": answerer.role_code}
        if answerer.role_display:
            coding["display"] = answerer.role_display
        resource["code"] = [{"coding": [coding]}]
    return resource


def _head(kind: str, now: datetime) -> Resource:
    return {
        "resourceType": kind,
        "meta": {"lastUpdated": format_instant(now), "profile": [uk_core(kind)]},
    }
