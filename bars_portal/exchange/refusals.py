"""Messages that are refused before anybody reads them: 415, 413, 406, no usable ids (standard section 3).

Their headers and bytes belong to the record like those of any other.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID, uuid4

from django.db import transaction

from bars_portal.audit.services import record
from bars_portal.exchange.arrival import StoredReply, partner
from bars_portal.exchange.deadline import Deadline, bounded
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.identifiers import is_uuid
from bars_portal.exchange.fhir.outcomes import Issue, operation_outcome
from bars_portal.exchange.models import InboundMessage, InboundState
from bars_portal.exchange.transport.headers import (
    CORRELATION_ID,
    REQUEST_ID,
    IncomingHeaders,
    storable_headers,
)


def outcome_reply(issues: tuple[Issue, ...]) -> StoredReply:
    """The OperationOutcome of a refusal; the first issue gives the status."""
    return StoredReply(issues[0].code.status, json.dumps(operation_outcome(issues, outcome_id=str(uuid4()))))


def code_of(issue: Issue) -> str:
    """As the trail names it: "415 REC_BAD_REQUEST not-supported"."""
    return f"{issue.code.status} {issue.code.code} {issue.code.issue}"


def store_refusal(
    *,
    body: bytes,
    raw_headers: Mapping[str, str],
    headers: IncomingHeaders | None,
    peer: str,
    now: datetime,
    deadline: Deadline,
    issues: tuple[Issue, ...],
) -> StoredReply:
    """Keep what came, with the answer, and say so on the trail. `headers` is None when they say too little.

    `body` is what was read of it. Raises DatabaseError.
    """
    answer = outcome_reply(issues)
    organisation, target = (headers.organisation, headers.target) if headers else (None, None)
    with bounded(deadline.extended()), transaction.atomic():
        message = InboundMessage.objects.create(
            request_id=_id(raw_headers, REQUEST_ID),
            correlation_id=_id(raw_headers, CORRELATION_ID),
            service_id=target.value if target else "",
            sender_ods_code=organisation.ods_code[:12] if organisation else "",
            peer=peer,
            headers=storable_headers(raw_headers),
            body=body,
            received_at=now,
            state=InboundState.REFUSED,
            completed_at=now,
            status_code=answer.status,
            reply=answer.body,
        )
        record(
            actor=partner(headers, peer),
            action="exchange.receive_message",
            subject=message,
            outcome="refused",
            detail={
                "service_id": message.service_id or None,
                "code": code_of(issues[0]),
                "request_id": str(message.request_id) if message.request_id else None,
            },
            correlation_id=message.correlation_id,
            now=now,
        )
    return answer


def _id(headers: Mapping[str, str], name: str) -> UUID | None:
    """One of the two may be good: it still tells which conversation it was."""
    text = next((value for each, value in headers.items() if each.lower() == name.lower()), "").strip()
    return UUID(text) if is_uuid(text) else None
