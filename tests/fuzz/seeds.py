"""Real messages to start from: bookings and cancels of our own, and the published examples if at hand."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.fuzz.mutations import Tree
from tests.live.messages import own_booking, own_cancel
from tests.live.partner import HUB, SERVICE_SYSTEM, FreeSlot, Partner, direct_client, mutual_tls
from tests.stack import Stack

_SLOTS = 40


def seed_messages(stack: Stack, shared: Path | None) -> list[Tree]:
    """Addressed to the hub, at slots that are free now."""
    with direct_client(stack, mutual_tls(stack)) as http:
        # Late ones, which the other live tests leave alone.
        start = datetime.now(UTC) + timedelta(days=15)
        slots = Partner(http).slots(service=HUB, start=start, end=start + timedelta(days=6))[:_SLOTS]
    bookings = [own_booking(slot) for slot in slots]
    cancels = [own_cancel(each) for each in bookings[:5]]
    return [*bookings, *cancels, *(_addressed(each, slots[0]) for each in _published(shared))]


def _published(shared: Path | None) -> list[Tree]:
    files = sorted((shared / "fhir" / "examples").glob("*.json")) if shared else []
    found = (json.loads(each.read_text()) for each in files)
    return [each for each in found if each.get("type") == "message"]


def _addressed(message: Tree, slot: FreeSlot) -> Tree:
    for entry in message["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] == "MessageHeader":
            resource["destination"][0]["endpoint"] = f"{SERVICE_SYSTEM}|{HUB}"
        if resource["resourceType"] == "Slot":
            resource |= {"id": slot.id, "start": slot.start, "end": slot.end}
    return message
