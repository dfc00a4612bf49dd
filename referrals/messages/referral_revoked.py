"""servicerequest-request with a revoked referral: circumstances changed (standard section 6)."""

from bars_portal.exchange.fhir.rules import table
from bars_portal.exchange.registry import register_message
from referrals.outgoing import RequestEnd
from referrals.states import Category


@register_message
class ReferralRevoked(RequestEnd):
    workflow = table.REFERRAL_REVOKED
    label = "Revoked referral"
    of = Category.REFERRAL
