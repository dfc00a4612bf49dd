"""Reads of the message log, scoped to an organisation: messages that it sent, and those to its services."""

from django.db.models import QuerySet

from bars_portal.exchange.models import UNCLEAR, DeliveryState, InboundMessage, OutboundMessage
from bars_portal.exchange.registry import hosted_services


def outbound_log(organisation_id: int | None) -> QuerySet[OutboundMessage]:
    """What the organisation sent; everything for None."""
    messages = OutboundMessage.objects.select_related("organisation").defer("body")
    return messages if organisation_id is None else messages.filter(organisation_id=organisation_id)


def given_up(organisation_id: int) -> QuerySet[OutboundMessage]:
    """What the organisation sent, and what was tried to the end without a clear answer; the newest first."""
    rows = outbound_log(organisation_id).filter(UNCLEAR, state=DeliveryState.ABANDONED)
    return rows.order_by("-settled_at")


def inbound_log(organisation_id: int | None) -> QuerySet[InboundMessage]:
    """What reached the services that the organisation provides; everything for None."""
    messages = InboundMessage.objects.defer("body", "reply")
    if organisation_id is None:
        return messages
    return messages.filter(service_id__in=hosted_services.provided_by(organisation_id))
