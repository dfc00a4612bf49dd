"""servicerequest-request, new: a service is asked to validate a case (standard section 6)."""

from bars_portal.exchange.fhir.rules import table
from bars_portal.exchange.registry import register_message
from referrals.outgoing import NewRequest
from referrals.states import Category


@register_message
class ValidationNew(NewRequest):
    workflow = table.VALIDATION_NEW
    label = "New validation request"
    of = Category.VALIDATION
