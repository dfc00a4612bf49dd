"""What people of the demo do with a received case, run inside the stack (Stack.call)."""

from uuid import UUID

from django.conf import settings
from django.utils import timezone

from bars_portal.accounts.acting import Acting, resolve_acting
from bars_portal.accounts.models import User
from bars_portal.audit.actor import SYSTEM
from bars_portal.demo import facts
from bars_portal.exchange.fhir.codes import ARPPriority
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.services import create_patient, open_journey
from directory.models import HealthcareService
from referrals.cases.models import ValidationCase
from referrals.cases.states import Category
from referrals.responding import decisions
from referrals.responding.content import Disposition, Outcome, TriageCode
from tests.factories.sent_requests import register_sent_request

_CALL_BACK = TriageCode("https://fhir.nhs.uk/CodeSystem/pathways-dx-codes", "Dx335")


def register(bundle_id: str, correlation_id: str, service_id: str) -> None:
    """The sending side: what a validation request that went out leaves behind."""
    now, conversation = timezone.now(), UUID(correlation_id)
    ours = HealthcareService.objects.get(service_id=settings.BARS["SERVICE_ID"]).provider
    journey = open_journey(organisation=ours, correlation_id=conversation, now=now)
    patient = create_patient(
        details=PatientDetails(), organisation=ours, journey=journey, now=now, declared_by=SYSTEM
    )
    register_sent_request(
        kind=Category.VALIDATION,
        bundle_id=bundle_id,
        correlation_id=conversation,
        journey=journey,
        patient=patient,
        service=HealthcareService.objects.get(service_id=service_id),
        organisation=ours,
        use_case="a4t1",
        now=now,
    )


def start(case_id: str) -> None:
    decisions.start_case(case=_case(case_id), acting=_assessor(), now=timezone.now())


def complete(case_id: str) -> None:
    now = timezone.now()
    told = Outcome(Disposition.HEAR_AND_TREAT, now, "Advice was given.", ARPPriority.C5, (_CALL_BACK,))
    decisions.complete_validation(case=_case(case_id), outcome=told, acting=_assessor(), now=now)


def _case(case_id: str) -> ValidationCase:
    return ValidationCase.objects.get(pk=case_id)


def _assessor() -> Acting:
    acting = resolve_acting(User.objects.get(username=facts.ASSESSOR), {})
    if acting is None:
        raise LookupError("The demo has nobody who assesses.")
    return acting
