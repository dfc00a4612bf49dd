"""servicerequest-request with a revoked referral: circumstances changed (standard section 6)."""

from bars_portal.exchange.context import MessageContext
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.rules import table
from bars_portal.exchange.registry import Applied, MessageType, register_message
from referrals import mapping
from referrals.mapping import ReceivedCase
from referrals.services import receive_end
from referrals.states import Category


@register_message
class ReferralRevoked(MessageType):
    workflow = table.REFERRAL_REVOKED
    label = "Revoked referral"

    def parse(self, bundle: MessageBundle) -> ReceivedCase:
        return mapping.parse_case(bundle, Category.REFERRAL)

    def apply(self, parsed: ReceivedCase, context: MessageContext) -> Applied:
        return receive_end(received=parsed, context=context)
