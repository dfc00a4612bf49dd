"""From an event to a receiver that has it: made, claimed, sent outside any transaction, settled, forgotten.

By the outbox's rules. A claim is a commit of its own and only lends the row: who dies leaves it to the next
one after LEASE, which sends the same body under the same id. What another has settled or claimed meanwhile
stays as they left it.
"""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from time import perf_counter
from uuid import UUID

import orjson
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from bars_portal.api.events import instant, row_of, shown, stream_of
from bars_portal.api.models import (
    DeliveryState,
    OffReason,
    Webhook,
    WebhookAttempt,
    WebhookDelivery,
)
from bars_portal.api.webhooks import selectors
from bars_portal.api.webhooks.posting import (
    GONE,
    OFF_AFTER,
    asked_for,
    headers_for,
    may_reach,
    next_try,
    rest_until,
)
from bars_portal.api.webhooks.services import make_deliveries, switch_off
from bars_portal.audit.actor import SYSTEM
from bars_portal.guarded_http import Resolve, look_up, post
from bars_portal.http import Answer, TransportError, client_context, milliseconds_since
from bars_portal.sql import let_go_of_connection

# Longer than any attempt, its look-up of the name included.
LEASE = timedelta(minutes=2)
ANSWERS_WITHIN_SECONDS = 15.0
KEPT_FOR = timedelta(days=30)
# Of one transaction: events of one webhook, and deliveries whichever webhook they are of.
_DEALT_AT_ONCE, _FORGOTTEN_AT_ONCE = 1000, 2000
TEST = "webhook.test"
_AGENT = "bars-portal-webhooks/1"
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Outcome:
    """What became of one attempt: an answer, or a word why there is none."""

    answer: Answer | None
    problem: str
    elapsed_ms: int


@transaction.atomic
def deal(webhook_id: UUID, *, now: datetime) -> int:
    """Make deliveries of what happened since the last time; how many. 0 as well when another is at it."""
    rows = Webhook.objects.select_for_update(skip_locked=True, of=("self",))
    webhook = rows.select_related("application__organisation").filter(pk=webhook_id).first()
    if webhook is None:
        return 0
    stream = stream_of(webhook.application.organisation)
    begin = max(webhook.dealt, stream.forgotten)
    end = min(stream.last, begin + _DEALT_AT_ONCE)
    made = make_deliveries(
        webhook=webhook, after=begin, until=end, sight=selectors.sight_of(webhook), now=now
    )
    Webhook.objects.filter(pk=webhook_id).update(dealt=end)
    return made


@transaction.atomic
def claim(webhook_id: UUID, *, now: datetime, most: int) -> list[WebhookDelivery]:
    """Lend some that are due to whoever asks; each attempt has its number."""
    due = selectors.pending(now=now).filter(webhook_id=webhook_id).order_by("next_attempt_at", "event_id")
    claimed = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True)[:most])
    if not claimed:
        return []
    WebhookDelivery.objects.filter(pk__in=claimed).update(tries=F("tries") + 1, next_attempt_at=now + LEASE)
    related = "event", "webhook__application__organisation"
    rows = WebhookDelivery.objects.filter(pk__in=claimed).select_related(*related)
    # In the order in which it happened, as far as retries let.
    return list(rows.order_by("event_id"))


def attempt(
    delivery: WebhookDelivery,
    *,
    now: datetime,
    verify: ssl.SSLContext | None = None,
    resolve: Resolve = look_up,
    within_seconds: float = ANSWERS_WITHIN_SECONDS,
) -> Outcome:
    """Post it once, outside any transaction; nothing is written."""
    webhook, started = delivery.webhook, perf_counter()
    if not _may_still_be_told(delivery):
        return Outcome(None, "withdrawn", 0)
    using = selectors.secrets_of(webhook, now=now)
    if not using:
        return Outcome(None, "secret", 0)
    body = body_of(delivery)
    signed = headers_for(body, message_id=delivery.message_id, now=now, using=using)
    try:
        answer = post(
            webhook.url,
            headers={"content-type": "application/json", "user-agent": _AGENT, **signed},
            body=body,
            allows=partial(may_reach, loopback=settings.API_WEBHOOKS_TO_LOOPBACK),
            verify=verify or public_authorities(),
            within_seconds=within_seconds,
            resolve=resolve,
        )
    except TransportError as error:
        return Outcome(None, error.kind, milliseconds_since(started))
    return Outcome(answer, "", answer.elapsed_ms)


def body_of(delivery: WebhookDelivery) -> bytes:
    """The same bytes each time: made of what never changes."""
    webhook = delivery.webhook
    if delivery.event is not None:
        return orjson.dumps(shown(row_of(delivery.event), ods_code=webhook.application.organisation.ods_code))
    data = {"webhook": str(webhook.pk)}
    return orjson.dumps({"type": TEST, "timestamp": instant(delivery.created_at), "data": data})


@transaction.atomic
def settle(delivery: WebhookDelivery, outcome: Outcome, *, now: datetime) -> None:
    """Write what became of the attempt, and what follows for the delivery and its webhook."""
    answer = outcome.answer
    webhook = Webhook.objects.select_for_update(of=("self",)).get(pk=delivery.webhook_id)
    WebhookAttempt.objects.create(
        delivery=delivery,
        at=now,
        status=answer.status if answer else None,
        problem=outcome.problem,
        elapsed_ms=outcome.elapsed_ms,
    )
    if answer is not None and answer.is_success:
        _close(delivery, DeliveryState.DELIVERED, now)
        if webhook.failures:
            webhook.failures, webhook.failing_since, webhook.resting_until = 0, None, None
            webhook.save(update_fields=["failures", "failing_since", "resting_until"])
        return
    if outcome.problem == "withdrawn":
        _close(delivery, DeliveryState.FAILED, now)
        return
    asked = asked_for(answer, now=now) if answer else None
    then = next_try(delivery.tries, now=now, asked=asked)
    if then is None:
        _close(delivery, DeliveryState.FAILED, now)
    else:
        _held(delivery).update(next_attempt_at=then)
    webhook.failures += 1
    webhook.failing_since = webhook.failing_since or now
    webhook.resting_until = rest_until(webhook.failures, now=now, asked=asked)
    webhook.save(update_fields=["failures", "failing_since", "resting_until"])
    if answer is not None and answer.status == GONE:
        switch_off(webhook=webhook, reason=OffReason.GONE, actor=SYSTEM, now=now)
    elif now - webhook.failing_since >= OFF_AFTER:
        switch_off(webhook=webhook, reason=OffReason.FAILING, actor=SYSTEM, now=now)


def deliver(delivery: WebhookDelivery, *, clock: Clock) -> None:
    """One claimed delivery: sent, and settled."""
    now = clock()
    let_go_of_connection()
    outcome = attempt(delivery, now=now)
    settle(delivery, outcome, now=clock())


def _close(delivery: WebhookDelivery, state: DeliveryState, now: datetime) -> None:
    _held(delivery).update(state=state, next_attempt_at=None, settled_at=now)


def _held(delivery: WebhookDelivery) -> QuerySet[WebhookDelivery]:
    """The row, while it waits and this attempt is its last."""
    return WebhookDelivery.objects.filter(pk=delivery.pk, state=DeliveryState.PENDING, tries=delivery.tries)


def _may_still_be_told(delivery: WebhookDelivery) -> bool:
    """What was taken from the application since it happened counts at once."""
    event, sight = delivery.event, selectors.sight_of(delivery.webhook)
    if event is None:
        return True
    of_its_services = sight.service_ids is None or event.service_id in sight.service_ids
    return event.needs in sight.permissions and of_its_services


@cache
def public_authorities() -> ssl.SSLContext:
    return client_context(ca_file=None)


def forget_deliveries(*, now: datetime, batch: int = _FORGOTTEN_AT_ONCE) -> int:
    """What was settled long ago, and the attempts at it; how many."""
    old = WebhookDelivery.objects.filter(created_at__lte=now - KEPT_FOR)
    settled = old.exclude(state=DeliveryState.PENDING).order_by("created_at")
    gone = 0
    while found := list(settled.values_list("pk", flat=True)[:batch]):
        WebhookDelivery.objects.filter(pk__in=found).delete()
        gone += len(found)
    return gone
