"""servicerequest-request, new: a patient is referred to a service of ours (standard section 6)."""

from bars_portal.exchange.context import MessageContext
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.rules import table
from bars_portal.exchange.registry import Applied, MessageType, register_message
from referrals import mapping
from referrals.mapping import ReceivedCase
from referrals.services import receive_case
from referrals.states import Category


@register_message
class ReferralNew(MessageType):
    workflow = table.REFERRAL_NEW
    label = "New referral"
    starts_conversation = True

    def parse(self, bundle: MessageBundle) -> ReceivedCase:
        return mapping.parse_case(bundle, Category.REFERRAL)

    def apply(self, parsed: ReceivedCase, context: MessageContext) -> Applied:
        return receive_case(received=parsed, context=context)
