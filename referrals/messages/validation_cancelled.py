"""servicerequest-request with a validation revoked or entered in error (standard section 6)."""

from bars_portal.exchange.context import MessageContext
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.rules import table
from bars_portal.exchange.registry import Applied, MessageType, register_message
from referrals import mapping
from referrals.mapping import ReceivedCase
from referrals.services import receive_end
from referrals.states import Category


@register_message
class ValidationCancelled(MessageType):
    workflow = table.VALIDATION_CANCELLED
    label = "Cancelled validation request"

    def parse(self, bundle: MessageBundle) -> ReceivedCase:
        return mapping.parse_case(bundle, Category.VALIDATION)

    def apply(self, parsed: ReceivedCase, context: MessageContext) -> Applied:
        return receive_end(received=parsed, context=context)
