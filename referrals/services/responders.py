"""Who answers a case of ours: the service that was asked, somebody it handed the case on to, or a stranger.

Every published validation response repeats source and destination of its request, so MessageHeader.source
alone cannot decide (fhir/messages.md, first section): any one piece of evidence is enough.
"""

from enum import StrEnum

from bars_portal.exchange.context import MessageContext
from referrals.mapping import ReceivedReply
from referrals.models import Case


class Responder(StrEnum):
    ASKED = "asked"
    # Named by nobody, but it holds the ids of the conversation: those travel with the case (section 9).
    ONWARD = "onward"
    STRANGER = "stranger"


def responder_of(case: Case, received: ReceivedReply, context: MessageContext) -> Responder:
    if _was_asked(case, context):
        return Responder.ASKED
    return Responder.ONWARD if _in_conversation(case, received, context) else Responder.STRANGER


def _was_asked(case: Case, context: MessageContext) -> bool:
    """By MessageHeader.source.endpoint, or as the organisation that provides the service."""
    same_service = context.source is not None and context.source.value == case.service.service_id
    ours = case.service.provider.ods_code
    return same_service or (bool(ours) and context.sender_ods_code.upper() == ours.upper())


def _in_conversation(case: Case, received: ReceivedReply, context: MessageContext) -> bool:
    same_journey = received.journey_id is not None and received.journey_id == case.journey.journey_id
    return same_journey or context.correlation_id == case.correlation_id
