"""servicerequest-request, update: more is known about a referral (standard section 6)."""

from bars_portal.exchange.fhir.rules import table
from bars_portal.exchange.registry import register_message
from referrals.outgoing import RequestUpdate
from referrals.states import Category


@register_message
class ReferralUpdate(RequestUpdate):
    workflow = table.REFERRAL_UPDATE
    label = "Referral update"
    of = Category.REFERRAL
