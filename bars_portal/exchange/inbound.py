"""Receiving a message: content, claim, apply, stored reply (standard section 5).

Domain changes, audit, the stored reply and the claim's completion commit together. A failure leaves nothing
but the message and its outcome.
"""

from datetime import datetime

from django.db import Error as DatabaseError
from django.db import IntegrityError, transaction

from bars_portal.audit.services import record
from bars_portal.exchange.arrival import Arrival, StoredReply
from bars_portal.exchange.claims import claim, hold, index_columns, meaning
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
from bars_portal.rows import change
from bars_portal.together import together

# Names drawn at random (references) may be taken: then another is drawn.
_ATTEMPTS = 5
_COMPLETE = """
    UPDATE exchange_inboundmessage SET state = %s, completed_at = %s, status_code = %s, reply = %s
    WHERE id = %s AND state = 'processing'
"""


def receive(arrival: Arrival) -> StoredReply:
    """The answer to one `POST /$process-message`, already stored. Never raises OutcomeError."""
    try:
        with bounded(arrival.deadline):
            reading = read_message(arrival)
        arrival.deadline.left()
    except OutcomeError as refusal:
        return _store_refused(arrival, refusal)
    try:
        with bounded(arrival.deadline):
            message = claim(arrival, reading)
    except OutcomeError as repeat:
        return _refuse_repeat(arrival, reading, repeat)
    return _process(message, reading, arrival)


def _process(message: InboundMessage, reading: Reading, arrival: Arrival) -> StoredReply:
    try:
        return _attempt(message, reading, arrival)
    except OutcomeError as refusal:
        return _fail(message, refusal, arrival)
    except DatabaseError as error:
        return _fail(message, OutcomeError(issue_of(error)), arrival)
    except BaseException:
        # A bug: the claim is given back, so that a retry is judged afresh; the edge answers and logs.
        _fail(message, fault(OutcomeCode.SERVER_ERROR, "The message could not be processed."), arrival)
        raise


def _attempt(message: InboundMessage, reading: Reading, arrival: Arrival) -> StoredReply:
    for left in reversed(range(_ATTEMPTS)):
        try:
            with bounded(arrival.deadline), transaction.atomic(), together():
                _refuse_reused_bundle(reused=hold(message))
                return _apply(message, reading, arrival)
        except IntegrityError as error:
            if not (left and may_go_well_again(error)):
                raise
    raise AssertionError("The last attempt answers or raises.")


def _apply(message: InboundMessage, reading: Reading, arrival: Arrival) -> StoredReply:
    applied = reading.kind.apply(reading.parsed, _context(message, reading, arrival))
    if isinstance(applied, Refusal):
        return _refuse(message, applied.issues, arrival)
    _audit(arrival, message, "done", reading.kind.key)
    bundle = applied.answer or reply(
        reading.bundle, now=arrival.now, focus=applied.focus[1], included=applied.included
    )
    answer = StoredReply(200, json.dumps(bundle))
    _complete(message, InboundState.ACCEPTED, answer, arrival.now)
    return answer


def _refuse(message: InboundMessage, issues: tuple[Issue, ...], arrival: Arrival) -> StoredReply:
    """In the caller's transaction: what was written in it stays."""
    answer = outcome_reply(issues)
    _complete(message, InboundState.REFUSED, answer, arrival.now)
    _audit(arrival, message, "refused", message.message_type, issues[0])
    return answer


def _context(message: InboundMessage, reading: Reading, arrival: Arrival) -> MessageContext:
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
    )


def _refuse_reused_bundle(*, reused: bool) -> None:
    """The unique index settles a race; this look gives the common case its clear answer."""
    if reused:
        raise fault(
            OutcomeCode.INVARIANT, "Bundle.id was used before: a new message needs a new one.", "Bundle.id"
        )


def _store_refused(
    arrival: Arrival, refusal: OutcomeError, meaning: dict[str, object] | None = None
) -> StoredReply:
    answer = outcome_reply(refusal.issues)
    with bounded(arrival.deadline.extended()), transaction.atomic():
        message = InboundMessage.objects.create(
            **(index_columns(arrival) | (meaning or {})),
            state=InboundState.REFUSED,
            completed_at=arrival.now,
            status_code=answer.status,
            reply=answer.body,
        )
        _audit(arrival, message, "refused", message.message_type, refusal.issues[0])
    return answer


def _refuse_repeat(arrival: Arrival, reading: Reading, repeat: OutcomeError) -> StoredReply:
    """A row of its own in no live state: the claim of the first message stays what it is."""
    return _store_refused(arrival, repeat, meaning(reading))


def _fail(message: InboundMessage, refusal: OutcomeError, arrival: Arrival) -> StoredReply:
    with bounded(arrival.deadline.extended()), transaction.atomic(), together():
        return _refuse(message, refusal.issues, arrival)


def _complete(message: InboundMessage, state: InboundState, answer: StoredReply, now: datetime) -> None:
    change(_COMPLETE, state.value, now, answer.status, answer.body, message.pk)


def _audit(
    arrival: Arrival, message: InboundMessage, outcome: str, key: str, issue: Issue | None = None
) -> None:
    record(
        actor=arrival.actor,
        action="exchange.receive_message",
        subject=message,
        outcome=outcome,
        detail={
            "message_type": key,
            "code": code_of(issue) if issue else None,
            "rule": issue.rule if issue else None,
            "request_id": str(arrival.headers.request_id),
        },
        correlation_id=arrival.headers.correlation_id,
        now=arrival.now,
    )
