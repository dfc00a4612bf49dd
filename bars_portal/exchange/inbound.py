"""Receiving a message: content, claim, apply, stored reply (standard section 5).

Claim, domain changes, audit and the stored message with its reply are one transaction. A failure leaves
nothing but the message and its outcome, a dead worker nothing at all.
"""

from django.db import Error as DatabaseError
from django.db import IntegrityError, transaction

from bars_portal.audit.services import record
from bars_portal.exchange.arrival import Arrival, StoredReply
from bars_portal.exchange.claims import Claim, claim, index_columns, meaning
from bars_portal.exchange.context import MessageContext
from bars_portal.exchange.deadline import bounded
from bars_portal.exchange.failures import issue_of, may_go_well_again
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.bundle import reply
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode, OutcomeError, fault
from bars_portal.exchange.models import InboundMessage, InboundState
from bars_portal.exchange.reading import Reading, read_message
from bars_portal.exchange.refusals import code_of, outcome_reply
from bars_portal.exchange.registry import Refusal
from bars_portal.sql import insert, together

# Names drawn at random (references) may be taken: then another is drawn. And what was accepted while we
# looked is seen the second time.
_ATTEMPTS = 5


def receive(arrival: Arrival) -> StoredReply:
    """The answer to one `POST /$process-message`, already stored. Never raises OutcomeError."""
    try:
        with bounded(arrival.deadline):
            reading = read_message(arrival)
        arrival.deadline.left()
    except OutcomeError as refusal:
        return _store_refused(index_columns(arrival), refusal, arrival)
    return _process(reading, arrival)


def _process(reading: Reading, arrival: Arrival) -> StoredReply:
    columns = index_columns(arrival) | meaning(reading)
    try:
        return _attempt(InboundMessage(**columns), reading, arrival)
    except OutcomeError as refusal:
        return _store_refused(columns, refusal, arrival)
    except DatabaseError as error:
        return _store_refused(columns, OutcomeError(issue_of(error)), arrival)
    except BaseException:
        # A bug: a retry is judged afresh; the edge answers and logs.
        trouble = fault(OutcomeCode.SERVER_ERROR, "The message could not be processed.")
        _store_refused(columns, trouble, arrival)
        raise


def _attempt(message: InboundMessage, reading: Reading, arrival: Arrival) -> StoredReply:
    for left in reversed(range(_ATTEMPTS)):
        try:
            with bounded(arrival.deadline), transaction.atomic(), together():
                claimed = claim(arrival, reading)
                context = _context(message, reading, arrival, claimed, is_first=left == _ATTEMPTS - 1)
                return _apply(message, reading, arrival, context)
        except IntegrityError as error:
            if not (left and may_go_well_again(error)):
                raise
    raise AssertionError("The last attempt answers or raises.")


def _apply(
    message: InboundMessage, reading: Reading, arrival: Arrival, context: MessageContext
) -> StoredReply:
    applied = reading.kind.apply(reading.parsed, context)
    if isinstance(applied, Refusal):
        return _refuse(message, applied.issues, arrival)
    bundle = applied.answer or reply(
        reading.bundle, now=arrival.now, focus=applied.focus[1], included=applied.included
    )
    answer = StoredReply(200, json.dumps(bundle))
    _store(message, InboundState.ACCEPTED, answer, arrival)
    _audit(arrival, message, "done")
    return answer


def _refuse(message: InboundMessage, issues: tuple[Issue, ...], arrival: Arrival) -> StoredReply:
    """In the caller's transaction: what was written in it stays."""
    answer = outcome_reply(issues)
    _store(message, InboundState.REFUSED, answer, arrival)
    _audit(arrival, message, "refused", issues[0])
    return answer


def _store_refused(columns: dict[str, object], refusal: OutcomeError, arrival: Arrival) -> StoredReply:
    """A row of its own: what was accepted stays what it is, even when we do not know that it was."""
    with bounded(arrival.deadline.extended()), transaction.atomic(), together():
        return _refuse(InboundMessage(**columns), refusal.issues, arrival)


def _store(message: InboundMessage, state: InboundState, answer: StoredReply, arrival: Arrival) -> None:
    message.state, message.completed_at = state, arrival.now
    message.status_code, message.reply = answer.status, answer.body
    insert(message)


def _context(
    message: InboundMessage, reading: Reading, arrival: Arrival, claimed: Claim, *, is_first: bool
) -> MessageContext:
    return MessageContext(
        inbound_id=message.pk,
        request_id=arrival.headers.request_id,
        correlation_id=arrival.headers.correlation_id,
        service=reading.service,
        source=reading.bundle.source,
        sender_ods_code=arrival.sender_ods_code,
        sender_name=arrival.sender_name,
        received_at=arrival.now,
        actor=arrival.actor,
        is_new_conversation=claimed.is_new and is_first,
        told=claimed.told,
    )


def _audit(arrival: Arrival, message: InboundMessage, outcome: str, issue: Issue | None = None) -> None:
    record(
        actor=arrival.actor,
        action="exchange.receive_message",
        subject=message,
        outcome=outcome,
        detail={
            "message_type": message.message_type,
            "code": code_of(issue) if issue else None,
            "rule": issue.rule if issue else None,
            "request_id": str(arrival.headers.request_id),
        },
        correlation_id=arrival.headers.correlation_id,
        now=arrival.now,
    )
