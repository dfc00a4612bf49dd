"""servicerequest-request with a referral entered in error: it never should have been (standard section 6)."""

from bars_portal.exchange.fhir.rules import table
from bars_portal.exchange.registry import register_message
from referrals.outgoing import RequestEnd
from referrals.states import Category


@register_message
class ReferralEnteredInError(RequestEnd):
    workflow = table.REFERRAL_ENTERED_IN_ERROR
    label = "Referral entered in error"
    of = Category.REFERRAL
