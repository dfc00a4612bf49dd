"""What a slot looks like in an answer: the one definition, filled in by SQL (docs/adr/0011)."""

from functools import cache
from typing import Any, NamedTuple

from bars_portal.exchange.fhir import json, profiles
from bars_portal.exchange.fhir.bundle import Resource, found_entry


class SlotTexts(NamedTuple):
    """Everything that differs between slots, as it is written. Their order is that of the template's places.

    `paired_id` and `schedule_paired_id` are the UUIDs of the fullUrls. No `channel`, no extension.
    """

    paired_id: str
    id: str
    updated_at: str
    schedule_paired_id: str
    status: str
    start: str
    end: str
    channel: str


def slot_entry(texts: SlotTexts) -> dict[str, Any]:
    """The slot as an entry of a searchset (standard section 7: no identifier, a channel only when known)."""
    slot: Resource = {
        "resourceType": "Slot",
        "id": texts.id,
        "meta": {"lastUpdated": texts.updated_at, "profile": [profiles.uk_core("Slot")]},
    }
    if texts.channel:
        slot["extension"] = [{"url": profiles.EXTENSION_DELIVERY_CHANNEL, "valueCode": texts.channel}]
    slot |= {
        "schedule": {"reference": f"urn:uuid:{texts.schedule_paired_id}"},
        "status": texts.status,
        "start": texts.start,
        "end": texts.end,
    }
    return found_entry(f"urn:uuid:{texts.paired_id}", slot, "match")


@cache
def slot_template(*, with_channel: bool) -> str:
    """The entry as JSON for SQL's `format()`: `%1$s` is the first of `SlotTexts`, and so on."""
    places = [f"%{number}$s" for number, _ in enumerate(SlotTexts._fields, start=1)]
    texts = SlotTexts(*places)
    return json.dumps(slot_entry(texts if with_channel else texts._replace(channel=""))).decode()
