"""The claim of a request id: a lock for as long as the transaction of its message (standard section 5).

Whoever works on a message holds the lock; a worker that dies loses it with its connection. What was accepted
is a row, and the unique index over those rows has the last word.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from bars_portal.exchange.arrival import Arrival
from bars_portal.exchange.fhir.outcomes import OutcomeCode, OutcomeError, fault
from bars_portal.exchange.reading import Reading
from bars_portal.exchange.transport.headers import storable_headers
from bars_portal.sql import Question, ask

# Of a conversation every message counts: asked for the accepted ones, the planner may look through all of
# them, for they have an index of their own.
_CLAIM = """
    SELECT pg_try_advisory_xact_lock(%s::bigint),
        EXISTS (SELECT FROM exchange_inboundmessage WHERE request_id = %s AND state = 'accepted'),
        NOT EXISTS (SELECT FROM exchange_inboundmessage WHERE correlation_id = %s),
        %s AND EXISTS (SELECT FROM exchange_inboundmessage
            WHERE bundle_id = %s AND state = 'accepted' AND starts_conversation)"""

_NO_QUESTION = Question("NULL", ())


@dataclass(frozen=True)
class Claim:
    """Whether its conversation is new to us, and the answer to what its message type asks."""

    is_new: bool
    told: Any


def claim(arrival: Arrival, reading: Reading) -> Claim:
    """Keep the request id for the rest of the transaction.

    Raises OutcomeError: 409 when it was accepted before, 425 while another one works on it, 400 when its
    Bundle.id began a conversation before. What is accepted at this very moment the unique indexes tell.
    """
    headers, bundle_id = arrival.headers, reading.bundle.id[:64]
    starts = reading.kind.starts_conversation and bundle_id != ""
    ids = (headers.request_id, headers.correlation_id)
    question = reading.kind.question(reading.parsed, reading.service) or _NO_QUESTION
    claimed = (lock_of(headers.request_id), *ids, starts, bundle_id)
    found = ask(_with(question.text), *claimed, *question.values)
    mine, accepted, is_new, reused, told = found or (False,) * 5
    if accepted:
        raise _fault(OutcomeCode.DUPLICATE, "A message with this X-Request-ID was processed.")
    if not mine:
        raise _fault(OutcomeCode.TOO_EARLY, "A message with this X-Request-ID is being processed.")
    if reused:
        raise fault(
            OutcomeCode.INVARIANT, "Bundle.id was used before: a new message needs a new one.", "Bundle.id"
        )
    return Claim(bool(is_new), told)


@lru_cache
def _with(question: str) -> str:
    """Both in one trip to the database."""
    return f"{_CLAIM}, ({question})"


def lock_of(request_id: UUID) -> int:
    """A signed number of 64 bits. Two ids in a lifetime may share one: then one sender is asked to wait."""
    return int.from_bytes(request_id.bytes[:8], signed=True) ^ int.from_bytes(
        request_id.bytes[8:], signed=True
    )


def _fault(code: OutcomeCode, text: str) -> OutcomeError:
    return fault(code, text, "http.X-Request-ID")


def index_columns(arrival: Arrival) -> dict[str, object]:
    """The columns that every stored message has, read or not."""
    return {
        "request_id": arrival.headers.request_id,
        "correlation_id": arrival.headers.correlation_id,
        "service_id": arrival.headers.target.value if arrival.headers.target else "",
        "sender_ods_code": arrival.sender_ods_code[:12],
        "peer": arrival.peer,
        "headers": storable_headers(arrival.raw_headers),
        "body": arrival.body,
        "received_at": arrival.now,
    }


def meaning(reading: Reading) -> dict[str, object]:
    """The columns that a message has once it was read."""
    source = reading.bundle.source
    return {
        "bundle_id": reading.bundle.id[:64],
        "message_type": reading.kind.key,
        "service_id": reading.service.service_id,
        "source_service_id": source.value if source else "",
        "starts_conversation": reading.kind.starts_conversation,
        "warnings": [
            {"rule": issue.rule, "diagnostics": issue.diagnostics, "expression": list(issue.expression)}
            for issue in reading.warnings
        ],
    }
