"""Writing a request with its history and its message, in the caller's transaction."""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from bars_portal.correspondence.entries import stored
from bars_portal.correspondence.envelope import new_reference, parties_of
from bars_portal.exchange import outbox
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import MessageReason
from bars_portal.exchange.models import OutboundMessage
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.models import Patient
from bars_portal.patients.selectors import details_of
from directory.models import HealthcareService
from directory.remote import SenderIdentity
from referrals import mapping
from referrals.content import RequestContent, content_to_json
from referrals.included import included_in
from referrals.mapping import requests
from referrals.mapping.requests import Frame
from referrals.models import MODELS, Case
from referrals.sent import envelope_of, requester_of
from referrals.services.receiving import columns
from referrals.services.status import start_history
from referrals.states import CaseEvent, CaseStatus, Category, Direction


def issue_request(
    *,
    content: RequestContent,
    patient: Patient,
    service: HealthcareService,
    sender: SenderIdentity,
    now: datetime,
    draft_id: UUID | None = None,
    onward: Case | None = None,
) -> Case:
    """A sent case that waits for its answer. The patient's journey has a journey id.

    `onward`: the received case that it carries on, in the same conversation (standard section 9, journey).
    """
    case = MODELS[Category(content.category.value)](
        id=uuid4(),
        draft_id=draft_id,
        direction=Direction.SENT,
        status=CaseStatus.REQUESTED,
        organisation=patient.organisation,
        service=service,
        patient=patient,
        journey=patient.journey,
        correlation_id=onward.correlation_id if onward else patient.journey.correlation_id,
        onward_from=onward.pk if onward else None,
        use_case=content.use_case.value,
        created_at=now,
        updated_at=now,
    )
    for name, value in written(case, content, details=details_of(patient), sender=sender, now=now).items():
        setattr(case, name, value)
    case.save(force_insert=True)
    message = send_about(case, MESSAGES[case.category], sender, now)
    start_history(
        case=case,
        event=CaseEvent.REQUEST,
        bundle_id=str(message.bundle_id),
        actor=sender.actor,
        now=now,
    )
    return case


MESSAGES = {Category.REFERRAL: "referral-new", Category.VALIDATION: "validation-new"}


def written(
    case: Case, content: RequestContent, *, details: PatientDetails, sender: SenderIdentity, now: datetime
) -> dict[str, Any]:
    """What was stated as columns of the case: resources with what the receiver is known to call them."""
    if case.journey.journey_id is None:
        raise ValueError("A request belongs to a journey with an id.")
    begun = content.assessment.started_at or now
    stated = replace(content, assessment=replace(content.assessment, started_at=begun))
    settled = replace(stated, assessment=replace(stated.assessment, case_number=_number(case, content)))
    held = case.resource
    request, entries = requests.request_entries(
        Frame(case.pk, case.journey.journey_id, now),
        settled,
        patient=details,
        requester=requester_of(sender.actor),
        parties=parties_of(case.service, case.organisation, now),
        authored_on=str(held.get("authoredOn", "")),
    )
    resource = requests.updated_resource(request, held)
    included = stored(requests.updated_entries(entries, included_in(case)))
    return {
        **_facts(case, settled, resource, included, now),
        "content": content_to_json(stated),
        "resource": resource,
        "included": included,
    }


def _number(case: Case, content: RequestContent) -> str:
    """What people on both sides can say on the telephone, also when the caller's system has no number."""
    return content.assessment.case_number or case.case_number or new_reference(case.organisation.name)


def send_about(case: Case, key: str, sender: SenderIdentity, now: datetime) -> OutboundMessage:
    return outbox.enqueue(
        key=key,
        subject=case,
        organisation=sender.organisation,
        practitioner=sender.practitioner,
        actor=sender.actor,
        now=now,
    )


def _facts(
    case: Case, content: RequestContent, resource: Resource, included: list[list[Any]], now: datetime
) -> dict[str, Any]:
    """The index that a receiver reads from the same message: both sides sort a case alike."""
    bundle = requests.request_message(
        envelope_of(case, bundle_id=case.pk, now=now),
        category=content.category,
        reason=MessageReason.NEW,
        request=resource,
        included=included,
    )
    facts = mapping.parse_case(MessageBundle(bundle), case.category).facts
    return {name: columns(facts)[name] for name in asdict(facts)}
