"""Stored messages for tests, as they stand in the log."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from bars_portal.accounts.models import Organisation
from bars_portal.exchange.models import (
    DeliveryAttempt,
    DeliveryState,
    InboundMessage,
    InboundState,
    OutboundMessage,
)
from tests.unit.exchange_fhir.factory import booking

NOW = datetime(2026, 7, 14, 9, 0, tzinfo=UTC)
PARTNER = "2000077001"


def outbound(organisation: Organisation, **fields: Any) -> OutboundMessage:
    """Accepted at NOW unless told otherwise; its body is a booking about a patient."""
    made = {
        "message_type": "booking-new",
        "subject_type": "bookings.booking",
        "subject_id": "1",
        "actor_label": "Chris Linnell",
        "correlation_id": uuid4(),
        "bundle_id": uuid4(),
        "service_id": PARTNER,
        "headers": {},
        "body": json.dumps(booking()).encode(),
        "created_at": NOW,
        "settled_at": NOW,
        "state": DeliveryState.ACCEPTED,
        **fields,
    }
    return OutboundMessage.objects.create(organisation=organisation, **made)


def inbound(service_id: str, **fields: Any) -> InboundMessage:
    made = {
        "request_id": uuid4(),
        "correlation_id": uuid4(),
        "bundle_id": str(uuid4()),
        "message_type": "booking-new",
        "source_service_id": PARTNER,
        "peer": "int.api.service.nhs.uk",
        "headers": {},
        "body": json.dumps(booking()).encode(),
        "received_at": NOW,
        "completed_at": NOW,
        "status_code": 200,
        "state": InboundState.ACCEPTED,
        **fields,
    }
    return InboundMessage.objects.create(service_id=service_id, **made)


def attempt(message: OutboundMessage, **fields: Any) -> DeliveryAttempt:
    number = message.attempts.count() + 1
    made = {"started_at": NOW, "finished_at": NOW, "outcome": "accepted", "elapsed_ms": 100, **fields}
    return DeliveryAttempt.objects.create(message=message, number=number, **made)
