"""Bundles built from content, judged as our own receiver judges them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from bars_portal.correspondence.entries import Parties
from bars_portal.exchange.fhir.bundle import HeaderFacts, MessageBundle, Resource, triage_tool
from bars_portal.exchange.fhir.codes import MessageReason, ServiceRequestStatus, UseCase
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.rules import HostedService, Verdict, judge
from bars_portal.exchange.fhir.rules.table import ROWS
from bars_portal.exchange.fhir.structure import check_structure
from bars_portal.patients.details import PatientDetails
from directory.mapping import healthcare_service_to_fhir, organisation_to_fhir
from directory.ports import ServiceFacts
from referrals.parts import base, people
from referrals.parts.assessment import Assessment
from referrals.parts.content import RequestContent
from referrals.parts.request import request_entries
from referrals.sending.message import Envelope, end_message, ended_request, request_message
from tests.factories.patients import DETAILS
from tests.factories.referrals import NOW

CASE, JOURNEY, BUNDLE = UUID(int=1), UUID(int=2), UUID("5a8b2f0e-1c3d-4e5f-8a9b-0c1d2e3f4a5b")
SERVICE = ServiceID("2000099003")
HEADER = HeaderFacts(
    SERVICE,
    ServiceID("2000099000"),
    source_name="Portal Ltd",
    software="Portal",
    version="1",
    contact="0113 496 0000",
    triage_tools=triage_tool("Requester", "Pathways", "30.2.0"),
)
REQUESTER = people.Requester(
    "Linnell",
    "Chris",
    "555086689106",
    "224608005",
    "Administrative healthcare staff",
    True,
    phone="0113 496 0001",
)
PARTIES = Parties(
    sender=organisation_to_fhir(name="Northern 111", ods_code="Y00111", now=NOW),
    receiver=organisation_to_fhir(name="Riverside", ods_code="RIV01", now=NOW),
    service=healthcare_service_to_fhir(
        ServiceFacts(UUID(int=9), SERVICE.value, "Assessment", True, "Riverside", "RIV01"), now=NOW
    ),
)
HOSTED = HostedService(SERVICE, "RIV01", frozenset(each.value for each in UseCase))


def entries(
    content: RequestContent, *, patient: PatientDetails = DETAILS, minutes: int = 0
) -> tuple[Resource, list[tuple[str, Resource]]]:
    frame = base.Frame(CASE, JOURNEY, NOW + timedelta(minutes=minutes))
    return request_entries(frame, content, patient=patient, requester=REQUESTER, parties=PARTIES)


def message(
    content: RequestContent, *, reason: MessageReason = MessageReason.NEW, patient: PatientDetails = DETAILS
) -> dict[str, Any]:
    request, included = entries(content, patient=patient)
    return request_message(
        envelope(content.assessment),
        category=content.category,
        reason=reason,
        request=request,
        included=included,
    )


def end(content: RequestContent, status: ServiceRequestStatus) -> dict[str, Any]:
    request, included = entries(content)
    ended = ended_request(
        {**request, "id": str(UUID(int=77))},
        case_id=CASE,
        category=content.category,
        use_case=content.use_case,
        status=status,
        reason="The patient is better",
        now=NOW,
    )
    return end_message(envelope(), request=ended, included=included)


_USUAL = Assessment()


def envelope(assessment: Assessment = _USUAL) -> Envelope:
    tool = triage_tool("Requester", assessment.triage_tool, assessment.triage_tool_version)
    header = replace(HEADER, triage_tools=tool) if tool else HEADER
    return Envelope(CASE, BUNDLE, header, NOW)


def judged(bundle: dict[str, Any]) -> tuple[MessageBundle, Verdict]:
    """As the receiver does it: structure, then rules. No faults of structure may remain."""
    assert check_structure(bundle) == ()
    read = MessageBundle(bundle)
    return read, judge(read, find_service=lambda _: HOSTED, workflows=ROWS)
