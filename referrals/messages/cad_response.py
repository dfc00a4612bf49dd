"""servicerequest-response of an ambulance control: how far it is (standard section 6)."""

from bars_portal.exchange.context import MessageContext
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.rules import table
from bars_portal.exchange.registry import Applied, Refusal, register_message
from referrals import mapping
from referrals.answer_message import AnswerMessage
from referrals.mapping import ReceivedReply
from referrals.services import receive_reply
from referrals.states import Category, ReplyKind


@register_message
class CadResponse(AnswerMessage):
    workflow = table.CAD_RESPONSE
    label = "Ambulance control status"

    def parse(self, bundle: MessageBundle) -> ReceivedReply:
        return mapping.parse_reply(bundle, ReplyKind.CAD_STATUS, Category.REFERRAL)

    def apply(self, parsed: ReceivedReply, context: MessageContext) -> Applied | Refusal:
        return receive_reply(received=parsed, context=context)
