"""servicerequest-request with a validation revoked or entered in error (standard section 6)."""

from bars_portal.exchange.fhir.rules import table
from bars_portal.exchange.registry import register_message
from referrals.outgoing import RequestEnd
from referrals.states import Category


@register_message
class ValidationCancelled(RequestEnd):
    workflow = table.VALIDATION_CANCELLED
    label = "Cancelled validation request"
    of = Category.VALIDATION
