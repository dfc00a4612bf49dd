"""Who answers a case of ours: the service that was asked, or somebody else who was given the request.

Every published validation response repeats source and destination of its request, so MessageHeader.source
alone cannot decide (fhir/messages.md, first section). Only who got the request knows its Bundle.id, and a
refused outcome could cost a patient more than one that is looked at twice: an answer of somebody else is
taken, and the case says so.
"""

from bars_portal.exchange.context import MessageContext
from referrals.models import Case


def was_asked(case: Case, context: MessageContext) -> bool:
    """By MessageHeader.source.endpoint, or as the organisation that provides the service."""
    source = context.source.value if context.source else ""
    return is_asked(case, source_service_id=source, ods_code=context.sender_ods_code)


def is_asked(case: Case, *, source_service_id: str, ods_code: str) -> bool:
    """The same for a reply that is kept."""
    same_service = source_service_id == case.service.service_id
    asked = case.service.provider.ods_code
    return same_service or (bool(asked) and ods_code.upper() == asked.upper())
