"""An event as applications read it, in the list and in a webhook alike: ids, nothing about the patient."""

from datetime import UTC, datetime
from typing import Any

from bars_portal.api.models import Event

Json = dict[str, Any]


def shown(event: Event, *, ods_code: str) -> Json:
    """As the body of a webhook is by Standard Webhooks: type, timestamp, data."""
    kind, _, _ = event.type.partition(".")
    return {
        "type": event.type,
        "timestamp": instant(event.at),
        "data": {
            "event": str(event.uid),
            "cursor": str(event.position),
            "kind": kind,
            "id": str(event.subject_id),
            "direction": event.direction,
            "status": event.status,
            "organisation": ods_code,
            "service": event.service_id,
            "journey": str(event.journey_id),
        },
    }


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
