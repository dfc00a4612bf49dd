"""A case that its sender takes back: revoked, or it never should have been (standard section 6)."""

from bars_portal.exchange.context import MessageContext
from bars_portal.exchange.fhir.codes import ServiceRequestStatus
from bars_portal.exchange.registry import Applied
from referrals import mapping
from referrals.included import included_in
from referrals.mapping import ReceivedCase
from referrals.services.known import known_case
from referrals.services.updating import apply_change
from referrals.states import CaseEvent

_EVENTS = {
    ServiceRequestStatus.REVOKED.value: CaseEvent.RECEIVE_REVOKE,
    ServiceRequestStatus.ENTERED_IN_ERROR.value: CaseEvent.RECEIVE_ENTERED_IN_ERROR,
}


def receive_end(*, received: ReceivedCase, context: MessageContext) -> Applied:
    """End the case as ServiceRequest.status says. What it held stays: a cancel leaves most of it out.

    Raises OutcomeError as `known_case` does.
    """
    case = known_case(received, context)
    version = case.version + 1
    ended = mapping.ended_request(case.resource, received.request, version=version, now=context.received_at)
    changes = {
        "resource": ended,
        # From now on the message is another one, which leaves most of it out.
        "included": included_in(case),
        "sender_stamps": {**case.sender_stamps, **mapping.stamps_of(received)},
        "version": version,
        "message_id": context.inbound_id,
    }
    apply_change(case, _EVENTS[str(received.request.get("status"))], changes, received, context)
    answer = mapping.accepted_request(
        received.request, case_id=case.pk, version=version, now=context.received_at
    )
    return Applied(focus=(received.url, answer))
