"""How long events and the log of deliveries are kept; streams remember how far they went without them."""

from datetime import datetime, timedelta
from itertools import takewhile

from django.db import transaction
from django.db.models import QuerySet

from bars_portal.api.models import DeliveryState, Event, EventStream, WebhookDelivery

EVENTS_KEPT_FOR = timedelta(days=90)
DELIVERIES_KEPT_FOR = timedelta(days=30)
# Of one transaction.
BATCH = 2000


def forget_deliveries(*, now: datetime, batch: int = BATCH) -> int:
    """What was settled, and the attempts at it; how many."""
    old = WebhookDelivery.objects.filter(created_at__lte=now - DELIVERIES_KEPT_FOR)
    settled = old.exclude(state=DeliveryState.PENDING).order_by("created_at")
    gone = 0
    while found := list(settled.values_list("pk", flat=True)[:batch]):
        _delete(WebhookDelivery.objects.filter(pk__in=found))
        gone += len(found)
    return gone


def forget_events(*, now: datetime, batch: int = BATCH) -> int:
    """Each organisation's oldest, in their order, so that what is left has no gap; how many."""
    gone = 0
    for organisation_id in EventStream.objects.values_list("pk", flat=True):
        while done := _forget_oldest(organisation_id, now - EVENTS_KEPT_FOR, batch):
            gone += done
    return gone


@transaction.atomic
def _forget_oldest(organisation_id: int, until: datetime, batch: int) -> int:
    """Readers are told by `forgotten`, which commits with it."""
    stream = EventStream.objects.select_for_update().get(pk=organisation_id)
    left = Event.objects.filter(organisation_id=organisation_id, position__gt=stream.forgotten)
    oldest = left.order_by("position").values_list("pk", "position", "at")[:batch]
    over = list(takewhile(lambda row: row[2] <= until, oldest))
    if not over:
        return 0
    events = Event.objects.filter(pk__in=[pk for pk, _, _ in over])
    # What of it still waits is for a webhook that has been off for as long.
    _delete(WebhookDelivery.objects.filter(event__in=events))
    events._raw_delete(events.db)
    EventStream.objects.filter(pk=organisation_id).update(forgotten=over[-1][1])
    return len(over)


def _delete(deliveries: QuerySet[WebhookDelivery]) -> None:
    """With their attempts (CASCADE)."""
    deliveries.delete()
