"""Webhooks and their deliveries as plain JSON; a secret is in it only where it was just made."""

from datetime import datetime

from rest_framework.request import Request
from rest_framework.reverse import reverse

from bars_portal.api.events import all_types, instant
from bars_portal.api.models import DeliveryState, OffReason, Webhook, WebhookDelivery
from bars_portal.api.operations import Json, component, moment, object_of, optional, text
from bars_portal.api.own import CURSOR_PATTERN
from bars_portal.api.paging import page_schema
from bars_portal.api.webhooks.delivery import TEST
from bars_portal.api.webhooks.posting import LONGEST_URL
from bars_portal.api.webhooks.services import LONGEST_BOTH, MOST_REPLAYED

_URL = text("Where events are posted: https, reachable from anywhere.", maxLength=LONGEST_URL)
_TYPES: Json = {
    "type": "array",
    "items": text(enum=all_types()),
    "description": "Event types that it wants; empty: all that the application may see.",
}
_SERVICES: Json = {
    "type": "array",
    "items": text(pattern="^[0-9]{1,20}$"),
    "description": "DoS service ids that it wants events of; empty: all that the application may act for.",
}
WEBHOOK_FIELDS = {"url": _URL, "types": _TYPES, "services": _SERVICES}
NEW_WEBHOOK = component("NewWebhook", object_of(WEBHOOK_FIELDS, required=("url",)))
WEBHOOK_CHANGES = component("WebhookChanges", object_of(WEBHOOK_FIELDS, required=()))
_SECRET = text("What its deliveries are signed with (Standard Webhooks). It is told here only.")
_WEBHOOK = {
    "id": text(format="uuid"),
    **WEBHOOK_FIELDS,
    "is_on": {"type": "boolean"},
    "off_reason": text("Why it is off.", enum=["", *OffReason.values]),
    "off_at": optional(moment()),
    "failing_since": optional(moment("Since when it has taken nothing.")),
    "old_secret_until": optional(moment("Until then the secret before signs as well.")),
    "created_at": moment(),
}
WEBHOOK = component("Webhook", object_of(_WEBHOOK))
WEBHOOK_LIST = component("WebhookList", object_of({"items": {"type": "array", "items": WEBHOOK.ref}}))
WEBHOOK_WITH_SECRET = component("WebhookWithSecret", object_of({**_WEBHOOK, "secret": _SECRET}))
ROTATION = component(
    "SecretRotation",
    object_of(
        {
            "both_for_hours": {
                "type": "integer",
                "minimum": 0,
                "maximum": LONGEST_BOTH.days * 24,
                "default": 24,
                "description": "How long the old secret signs beside the new one.",
            }
        },
        required=(),
    ),
)
REPLAY = component(
    "Replay",
    object_of(
        {
            "after": text("The cursor before the first event of the range.", pattern=CURSOR_PATTERN),
            "until": text(
                f"The cursor of the last one; at most {MOST_REPLAYED} further on.", pattern=CURSOR_PATTERN
            ),
        }
    ),
)
REPLAYED = component(
    "Replayed", object_of({"deliveries": {"type": "integer", "description": "How many are sent."}})
)
WEBHOOK_NO_BODY = component("Empty", object_of({}))
DELIVERY = component(
    "WebhookDelivery",
    object_of(
        {
            "id": text("The webhook-id: the same on every attempt.", format="uuid"),
            "type": text(enum=[TEST, *all_types()]),
            "cursor": optional(text("Of its event.", pattern=CURSOR_PATTERN)),
            "state": text(enum=DeliveryState.values),
            "created_at": moment(),
            "next_attempt_at": optional(moment()),
            "settled_at": optional(moment()),
            "attempts": {
                "type": "array",
                "items": object_of(
                    {
                        "at": moment(),
                        "status": {"type": ["integer", "null"], "description": "What it answered."},
                        "problem": text("Why there was no answer, in a word."),
                        "milliseconds": {"type": "integer"},
                    }
                ),
            },
        }
    ),
)
DELIVERY_PAGE = component("WebhookDeliveryPage", page_schema(DELIVERY.ref))


def webhook_json(webhook: Webhook, *, now: datetime) -> Json:
    both = webhook.sealed_before is not None and webhook.before_until is not None
    return {
        "id": str(webhook.pk),
        "url": webhook.url,
        "types": webhook.types,
        "services": webhook.service_ids,
        "is_on": webhook.is_on,
        "off_reason": webhook.off_reason,
        "off_at": _moment(webhook.off_at),
        "failing_since": _moment(webhook.failing_since),
        "old_secret_until": _moment(
            webhook.before_until if both and webhook.before_until and webhook.before_until > now else None
        ),
        "created_at": instant(webhook.created_at),
    }


def delivery_json(delivery: WebhookDelivery) -> Json:
    event = delivery.event
    return {
        "id": str(delivery.message_id),
        "type": TEST if event is None else event.type,
        "cursor": None if event is None else str(event.position),
        "state": delivery.state,
        "created_at": instant(delivery.created_at),
        "next_attempt_at": _moment(delivery.next_attempt_at),
        "settled_at": _moment(delivery.settled_at),
        "attempts": [
            {
                "at": instant(each.at),
                "status": each.status,
                "problem": each.problem,
                "milliseconds": each.elapsed_ms,
            }
            for each in delivery.attempts.all()
        ],
    }


def address_of(request: Request, webhook: Webhook) -> str:
    return str(reverse("api:webhook", args=[webhook.pk], request=request))


def _moment(moment: datetime | None) -> str | None:
    return instant(moment) if moment else None
