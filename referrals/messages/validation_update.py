"""servicerequest-request, update: more is known about a case, or it waits (standard section 6)."""

from bars_portal.exchange.fhir.rules import table
from bars_portal.exchange.registry import register_message
from referrals.outgoing import RequestUpdate
from referrals.states import Category


@register_message
class ValidationUpdate(RequestUpdate):
    workflow = table.VALIDATION_UPDATE
    label = "Validation update"
    of = Category.VALIDATION
