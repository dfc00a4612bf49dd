"""An event as applications read it, in the list and in a webhook alike: ids, nothing about the patient."""

from datetime import UTC, datetime
from typing import Any

from bars_portal.api.events.selectors import EventRow
from bars_portal.api.models import Event

Json = dict[str, Any]


def shown(row: EventRow, *, ods_code: str) -> Json:
    """As the body of a webhook is by Standard Webhooks: type, timestamp, data."""
    return {
        "type": row.type,
        "timestamp": row.at,
        "data": {
            "event": row.event,
            "cursor": row.cursor,
            "kind": row.type.partition(".")[0],
            "id": row.subject,
            "direction": row.direction,
            "status": row.status,
            "organisation": ods_code,
            "service": row.service,
            "journey": row.journey,
        },
    }


def row_of(event: Event) -> EventRow:
    """What the database would write of it."""
    return EventRow(
        event=str(event.uid),
        cursor=str(event.position),
        at=instant(event.at),
        type=event.type,
        subject=str(event.subject_id),
        direction=event.direction,
        status=event.status,
        service=event.service_id,
        journey=str(event.journey_id),
    )


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
