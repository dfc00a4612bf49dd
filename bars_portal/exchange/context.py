"""What a message or a read comes with: who asks, on whose behalf, in which conversation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Model

from bars_portal.audit.actor import Actor
from bars_portal.exchange.fhir.access import Caller
from bars_portal.exchange.fhir.identifiers import ServiceID, UnknownTarget
from bars_portal.exchange.fhir.rules import HostedService


@dataclass(frozen=True)
class MessageContext:
    """An accepted-so-far incoming message; `inbound_id` is its row in the message log.

    `is_new_conversation` is a good guess that nothing of it is stored: what breaks a unique constraint
    because of it is applied again, without the guess (ADR 0012).
    """

    inbound_id: UUID
    request_id: UUID
    correlation_id: UUID
    service: HostedService
    source: ServiceID | None
    sender_ods_code: str
    sender_name: str
    received_at: datetime
    actor: Actor
    is_new_conversation: bool = False


@dataclass(frozen=True)
class ReadContext:
    """An incoming GET. `target` is None when the header was not sent: then nothing is left out.

    `action` and `detail` are what the audit trail says of it. A reader adds to `opened` each record of ours
    that it comes to, before it judges access: the trail tells the organisation that the record belongs to.
    """

    request_id: UUID
    correlation_id: UUID
    target: ServiceID | UnknownTarget | None
    caller: Caller
    received_at: datetime
    actor: Actor
    action: str = "exchange.read"
    detail: Mapping[str, str | int | None] = field(default_factory=dict)
    opened: list[Model] = field(default_factory=list)

    def reaches(self, service_id: str) -> bool:
        """Whether what a service holds may be found: it is the target, or none was named."""
        return self.target is None or self.target.value == service_id
