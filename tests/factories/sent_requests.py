"""A request that goes out to another service: the row that its replies are matched with."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from bars_portal.accounts.models import Organisation
from bars_portal.audit.actor import SYSTEM, Actor
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.patients.models import Journey, Patient
from directory.models import HealthcareService
from referrals.cases.history import start_history
from referrals.cases.models import MODELS, Case
from referrals.cases.states import CaseEvent, CaseStatus, Category


@transaction.atomic
def register_sent_request(
    *,
    kind: Category | str,
    bundle_id: UUID | str,
    correlation_id: UUID,
    journey: Journey,
    patient: Patient,
    service: HealthcareService,
    organisation: Organisation,
    use_case: str,
    now: datetime,
    actor: Actor = SYSTEM,
    resource: Resource | None = None,
) -> Case:
    """A sent case with its history; replies find it by `bundle_id`, the Bundle.id of the request.

    Raises ValueError when the journey is another organisation's or has another correlation id: a case keeps
    both ids (standard section 9, "Journey").
    """
    if journey.organisation_id != organisation.pk or journey.correlation_id != correlation_id:
        raise ValueError("The journey is not that of the conversation.")
    case = MODELS[Category(kind)](
        direction=Direction.SENT,
        status=CaseStatus.SENT,
        organisation=organisation,
        service=service,
        patient=patient,
        journey=journey,
        correlation_id=correlation_id,
        use_case=use_case,
        resource=resource or {},
        created_at=now,
        updated_at=now,
    )
    start_history(case=case, event=CaseEvent.SEND, bundle_id=str(bundle_id), actor=actor, now=now)
    return case
