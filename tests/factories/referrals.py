"""Referrals and validations for tests."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from bars_portal.accounts.models import Organisation
from bars_portal.correspondence.states import Direction
from bars_portal.patients.models import Patient
from directory.models import HealthcareService
from referrals.cases.models import MODELS, Case
from referrals.cases.states import CaseStatus, Category
from tests.factories.accounts import make_organisation
from tests.factories.directory import make_service
from tests.factories.patients import make_patient
from tests.factories.sent_requests import register_sent_request

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
RESPONDER = "RX111"
EVERY_USE_CASE = ["a1t1", "a3t1", "a4t1", "a4t2", "a5t1", "a6t1", "a6t2", "a6t3"]


def make_hub(**changes: Any) -> HealthcareService:
    """A hosted service that takes referrals and validations of every application."""
    fields = {"accepted_use_cases": EVERY_USE_CASE, "takes_referrals": True, **changes}
    return make_service(**fields)


def make_case(
    category: Category = Category.REFERRAL,
    *,
    service: HealthcareService | None = None,
    patient: Patient | None = None,
    status: CaseStatus = CaseStatus.RECEIVED,
    **changes: Any,
) -> Case:
    """A received case as it stands, without message and history."""
    where = service or make_hub()
    who = patient or make_patient(organisation=where.provider)
    fields: dict[str, Any] = {"use_case": "a1t1", "created_at": NOW, "updated_at": NOW, **changes}
    return MODELS[category].objects.create(
        direction=Direction.RECEIVED,
        status=status,
        organisation=who.organisation,
        service=where,
        patient=who,
        journey=who.journey,
        correlation_id=who.journey.correlation_id,
        **fields,
    )


def responding() -> Organisation:
    """Who answers in tests, by NHSD-End-User-Organisation."""
    known = Organisation.objects.filter(ods_code=RESPONDER).first()
    return known or make_organisation(ods_code=RESPONDER)


def make_sent_case(
    category: Category = Category.VALIDATION,
    *,
    bundle_id: str = "",
    organisation: Organisation | None = None,
    use_case: str = "",
    service: HealthcareService | None = None,
) -> Case:
    """A case that we sent, as replies find it; to a service of the organisation that answers by default."""
    patient = make_patient(organisation=organisation or make_organisation())
    return register_sent_request(
        kind=category,
        bundle_id=bundle_id or str(uuid4()),
        correlation_id=patient.journey.correlation_id,
        journey=patient.journey,
        patient=patient,
        service=service or make_service(hosted=False, provider=responding()),
        organisation=patient.organisation,
        use_case=use_case or {"referral": "a1t1", "validation": "a4t1"}[category],
        now=NOW,
    )
