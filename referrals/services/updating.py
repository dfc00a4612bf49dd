"""An update of a case that we hold (standard section 6)."""

from datetime import datetime

from bars_portal.exchange.context import MessageContext
from bars_portal.exchange.fhir.outcomes import OutcomeCode, fault
from bars_portal.exchange.registry import Applied
from bars_portal.patients.models import Journey, Patient
from bars_portal.patients.selectors import details_of
from bars_portal.patients.services import create_patient, open_journey
from referrals import mapping
from referrals.included import included_in
from referrals.mapping import ReceivedCase
from referrals.models import Case
from referrals.services.known import REQUEST, known_case
from referrals.services.receiving import columns
from referrals.services.status import TransitionRefused, change_case, write_version
from referrals.states import CaseEvent, CaseStatus


def receive_update(*, received: ReceivedCase, context: MessageContext) -> Applied:
    """Lay the message over the case as a new version. Raises OutcomeError as `known_case` does."""
    now = context.received_at
    case = known_case(received, context)
    request = mapping.merged_request(received, case.resource, case.sender_stamps)
    merged = mapping.merged_entries(received, included_in(case), case.sender_stamps)
    stands = mapping.merged_case(received, request, merged)
    encounter = mapping.own_encounter(
        received, case_id=case.pk, reference=case.reference, status=CaseStatus(case.status), now=now
    )
    others = [*merged, encounter]
    version = case.version + 1
    resource = mapping.accepted_request(request, case_id=case.pk, version=version, now=now)
    answer = mapping.whole_answer(received, focus=resource, others=others, now=now)
    journey = _journey(case, stands, now)
    changes = {
        **columns(stands.facts),
        "resource": resource,
        "included": mapping.read_back(answer, focus_id=case.pk),
        "sender_stamps": {**case.sender_stamps, **mapping.stamps_of(received)},
        "version": version,
        "message_id": context.inbound_id,
        "journey": journey,
        "patient": _patient(case, stands, journey, now),
    }
    apply_change(case, CaseEvent.RECEIVE_UPDATE, changes, received, context)
    return Applied(focus=(received.url, case.resource), included=others, answer=answer)


def apply_change(
    case: Case,
    event: CaseEvent,
    changes: dict[str, object],
    received: ReceivedCase,
    context: MessageContext,
) -> None:
    """The change, its history row and its version. Raises OutcomeError 409: somebody was first."""
    now, message_id = context.received_at, context.inbound_id
    try:
        change_case(
            case=case, event=event, actor=context.actor, now=now, message_id=message_id, changes=changes
        )
    except TransitionRefused:
        raise fault(OutcomeCode.CONFLICT, "The request was changed at the same moment", REQUEST) from None
    write_version(case=case, bundle_id=received.bundle.id, message_id=message_id, now=now)


def _journey(case: Case, received: ReceivedCase, now: datetime) -> Journey:
    """An update may be the first message of the case that names its journey."""
    if case.journey.journey_id is not None or received.journey_id is None:
        return case.journey
    return open_journey(
        organisation=case.organisation,
        correlation_id=case.journey.correlation_id,
        journey_id=received.journey_id,
        now=now,
    )


def _patient(case: Case, received: ReceivedCase, journey: Journey, now: datetime) -> Patient:
    """A patient of whom the update knows more, or something else, is written anew: history keeps the old."""
    if received.patient == details_of(case.patient):
        return case.patient
    return create_patient(details=received.patient, organisation=case.organisation, journey=journey, now=now)
