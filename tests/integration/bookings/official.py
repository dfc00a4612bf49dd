"""The published examples, adapted to a slot of ours as the acceptance of this issue says."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from bars_portal.exchange.arrival import Arrival, StoredReply
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.timestamps import format_london
from bars_portal.exchange.inbound import receive
from bars_portal.exchange.transport.headers import IncomingHeaders, Party
from bookings.models import Slot
from tests.factories.bookings import NOW

NEW = "BOOKREQ01 - Booking Request New Full.json"
CANCELLED = "BOOKREQ02 - Booking Request Cancelled.json"
SENDER = Party("RX111", "A 111 provider")
Bundle = dict[str, Any]


def example(shared: Path, name: str) -> Bundle:
    loaded: Bundle = json.loads((shared / "fhir" / "examples" / name).read_text())
    return loaded


def adapted(bundle: Bundle, slot: Slot) -> Bundle:
    """Only service id, slot and times replaced; a fresh Bundle.id."""
    header = of_type(bundle, "MessageHeader")
    header["destination"][0]["endpoint"] = ServiceID(slot.service.service_id).token
    for resource in [of_type(bundle, "Appointment"), *_slots(bundle)]:
        resource["start"], resource["end"] = format_london(slot.start), format_london(slot.end)
        for coding in (each for category in resource["serviceCategory"] for each in category["coding"]):
            if "usecases" in coding["system"]:
                coding["code"] = slot.service.accepted_use_cases[0]
    for resource in _slots(bundle):
        resource["id"] = str(slot.pk)
    return {**bundle, "id": str(uuid4())}


def of_type(bundle: Bundle, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        each["resource"] for each in bundle["entry"] if each["resource"]["resourceType"] == kind
    )
    return found


def _slots(bundle: Bundle) -> list[dict[str, Any]]:
    return [each["resource"] for each in bundle["entry"] if each["resource"]["resourceType"] == "Slot"]


def send(bundle: Bundle, *, organisation: Party | None = SENDER, **ids: Any) -> StoredReply:
    headers = IncomingHeaders(
        request_id=ids.get("request_id") or uuid4(),
        correlation_id=ids.get("correlation_id") or uuid4(),
        target=None,
        organisation=organisation,
        practitioner=None,
        software=None,
        use_context=None,
        accept=None,
    )
    body = json.dumps(bundle).encode()
    return receive(Arrival(body=body, raw_headers={}, headers=headers, peer="proxy", now=NOW))


def issue(reply: StoredReply) -> tuple[int, str]:
    return reply.status, json.loads(reply.body)["issue"][0]["code"]
