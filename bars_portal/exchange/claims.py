"""The claim of a request id: a short commit of its own, so that a repeat sees it while the first one runs.

Whoever works on a message holds its row locked. A row that says "processing" and is not locked lost its
worker: the repeat takes over, at once and without a clock (standard section 5).
"""

from django.db import transaction

from bars_portal.exchange.arrival import Arrival
from bars_portal.exchange.fhir.outcomes import OutcomeCode, fault
from bars_portal.exchange.models import InboundMessage, InboundState
from bars_portal.exchange.reading import Reading
from bars_portal.exchange.transport.headers import storable_headers
from bars_portal.rows import insert_unless_there
from bars_portal.statements import ask

_LIVE = (InboundState.PROCESSING, InboundState.ACCEPTED)
_HOLD = """
    SELECT starts_conversation AND bundle_id <> '' AND EXISTS (
        SELECT 1 FROM exchange_inboundmessage AS earlier
        WHERE earlier.bundle_id = %s AND earlier.state = 'accepted' AND earlier.starts_conversation)
    FROM exchange_inboundmessage WHERE id = %s AND state = 'processing' FOR UPDATE
"""


def claim(arrival: Arrival, reading: Reading) -> InboundMessage:
    """A new row in state processing. Raises OutcomeError: 409 duplicate, or 425 while the first one runs."""
    # One statement, so a transaction of its own. A server that goes down forgets it with the work that it
    # was for; the commit that accepts the message makes it durable too.
    if (message := _insert(arrival, reading)) is not None:
        return message
    with transaction.atomic():
        _retire_dead_claim(arrival)
        message = _insert(arrival, reading)
        if message is None:
            raise _too_early()
    return message


def hold(message: InboundMessage) -> bool:
    """Lock the claim for the rest of the transaction; whether its Bundle.id began a conversation before.

    Raises 425 when a repeat took the claim over meanwhile.
    """
    held = ask(_HOLD, message.bundle_id, message.pk)
    if held is None:
        raise _too_early()
    return bool(held[0])


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


def _insert(arrival: Arrival, reading: Reading) -> InboundMessage | None:
    """Insert unless a live claim of the same request id exists: the unique index decides, not a look."""
    row = InboundMessage(**(index_columns(arrival) | meaning(reading)), state=InboundState.PROCESSING)
    return row if insert_unless_there(row, durable=False) else None


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


def _retire_dead_claim(arrival: Arrival) -> None:
    live = InboundMessage.objects.filter(request_id=arrival.headers.request_id, state__in=_LIVE)
    claim = live.select_for_update(skip_locked=True).first()
    if claim is None:
        raise _too_early()
    if claim.state == InboundState.ACCEPTED:
        raise fault(
            OutcomeCode.DUPLICATE, "A message with this X-Request-ID was processed.", "http.X-Request-ID"
        )
    InboundMessage.objects.filter(pk=claim.pk).update(state=InboundState.ABANDONED, completed_at=arrival.now)


def _too_early() -> Exception:
    return fault(
        OutcomeCode.TOO_EARLY, "A message with this X-Request-ID is being processed.", "http.X-Request-ID"
    )
