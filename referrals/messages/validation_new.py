"""servicerequest-request, new: a service of ours is asked to validate a case (standard section 6)."""

from bars_portal.exchange.context import MessageContext
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.rules import table
from bars_portal.exchange.registry import Applied, MessageType, register_message
from referrals import mapping
from referrals.mapping import ReceivedCase
from referrals.services import receive_case
from referrals.states import Category


@register_message
class ValidationNew(MessageType):
    workflow = table.VALIDATION_NEW
    label = "New validation request"
    starts_conversation = True

    def parse(self, bundle: MessageBundle) -> ReceivedCase:
        return mapping.parse_case(bundle, Category.VALIDATION)

    def apply(self, parsed: ReceivedCase, context: MessageContext) -> Applied:
        return receive_case(received=parsed, context=context)
