"""Which messages may go out now: queued or due again, and none before an earlier one of its conversation."""

from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from bars_portal.exchange.models import DeliveryState, OutboundMessage
from bars_portal.sql import cursor

_OPEN = (DeliveryState.QUEUED, DeliveryState.SENDING)


def may_go_out(*, now: datetime) -> QuerySet[OutboundMessage]:
    """An update or a cancel never overtakes its request, whichever worker is quicker.

    Earlier messages of the conversation to the same service come first while they wait or are being sent.
    One whose outcome is not known holds up only what is about the very same thing: an outcome of a case must
    not wait an hour for the answer to "started".
    """
    is_ready = Q(state=DeliveryState.QUEUED) | Q(state=DeliveryState.UNKNOWN, next_attempt_at__lte=now)
    return OutboundMessage.objects.filter(is_ready, ~Exists(_earlier()))


def _earlier() -> QuerySet[OutboundMessage]:
    same_thing = Q(subject_type=OuterRef("subject_type"), subject_id=OuterRef("subject_id"))
    still_tried = Q(state=DeliveryState.UNKNOWN, next_attempt_at__isnull=False) & same_thing
    return OutboundMessage.objects.filter(
        Q(state__in=_OPEN) | still_tried,
        correlation_id=OuterRef("correlation_id"),
        service_id=OuterRef("service_id"),
        created_at__lt=OuterRef("created_at"),
    )


def ready_for(service_id: str, *, now: datetime, most: int) -> list[UUID]:
    """The longest waiting first."""
    ready = may_go_out(now=now).filter(service_id=service_id)
    return list(ready.order_by(Coalesce("next_attempt_at", "created_at")).values_list("pk", flat=True)[:most])


# Jumps from service to service in the index: it costs as many steps as there are services, not messages.
# The states are written out, so that the server can tell that its partial index has them all.
_SERVICES = """
    WITH RECURSIVE waiting AS (
        (SELECT service_id FROM exchange_outboundmessage
         WHERE state IN ('queued', 'unknown') ORDER BY service_id LIMIT 1)
        UNION ALL
        SELECT (SELECT service_id FROM exchange_outboundmessage
                WHERE state IN ('queued', 'unknown') AND service_id > waiting.service_id
                ORDER BY service_id LIMIT 1)
        FROM waiting WHERE waiting.service_id IS NOT NULL
    )
    SELECT service_id FROM waiting WHERE service_id IS NOT NULL
"""


def waiting_services() -> list[str]:
    """Whoever has a message that is queued, or unknown, whether it is due or not."""
    with cursor() as asking:
        asking.execute(_SERVICES)
        return [service_id for (service_id,) in asking.fetchall()]
