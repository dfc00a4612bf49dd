"""servicerequest-request, new: a patient is referred (standard section 6)."""

from bars_portal.exchange.fhir.rules import table
from bars_portal.exchange.registry import register_message
from referrals.outgoing import NewRequest
from referrals.states import Category


@register_message
class ReferralNew(NewRequest):
    workflow = table.REFERRAL_NEW
    label = "New referral"
    of = Category.REFERRAL
