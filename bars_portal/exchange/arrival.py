"""What the edge hands to the exchange: bytes, headers, and who brought them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bars_portal.audit.actor import Actor
from bars_portal.exchange.deadline import Deadline
from bars_portal.exchange.fhir.formats import Format
from bars_portal.exchange.fhir.limits import too_many_parts
from bars_portal.exchange.fhir.outcomes import OutcomeCode, fault
from bars_portal.exchange.transport.headers import IncomingHeaders


@dataclass(frozen=True)
class Arrival:
    """One `POST /$process-message`. `raw_headers` are stored for audit, credentials left out.

    `body` is the record: what arrived, compressed if it was. `content` is the same to be read (None: it is
    the body), in `format`; the headers that are kept beside it say how to read it again.
    """

    body: bytes
    raw_headers: Mapping[str, str]
    headers: IncomingHeaders
    peer: str
    now: datetime
    content: bytes | None = None
    format: Format = Format.JSON
    deadline: Deadline = field(default_factory=Deadline)

    def read(self) -> dict[str, Any]:
        """The resource in it. Raises OutcomeError (400)."""
        content = self.body if self.content is None else self.content
        if problem := too_many_parts(content):
            raise fault(OutcomeCode.INVALID, problem)
        return self.format.loads(content)

    @property
    def sender_ods_code(self) -> str:
        return self.headers.organisation.ods_code if self.headers.organisation else ""

    @property
    def sender_name(self) -> str:
        return self.headers.organisation.name if self.headers.organisation else ""

    @property
    def actor(self) -> Actor:
        return partner(self.headers, self.peer)


@dataclass(frozen=True)
class StoredReply:
    """Status and body of the answer, exactly as they were stored."""

    status: int
    body: bytes


def partner(headers: IncomingHeaders | None, peer: str) -> Actor:
    """The partner organisation as an audit actor; the certificate's name when it did not say who it is."""
    organisation = headers.organisation if headers else None
    if organisation is None:
        return Actor(label=f"partner via {peer or 'unknown'}"[:200])
    return Actor(label=f"{organisation.name} ({organisation.ods_code}) via {peer}"[:200])
