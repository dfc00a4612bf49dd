"""Receiving a message: access, content, claim, apply, stored reply (standard sections 3, 5 and 6).

Claim, domain changes, audit and the stored message with its reply are one transaction. A failure leaves
nothing but the message and its outcome, a dead worker nothing at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from struct import unpack
from typing import Any
from uuid import UUID

from django.db import Error as DatabaseError
from django.db import IntegrityError, transaction

from bars_portal.audit.services import record
from bars_portal.exchange.arrival import (
    REUSED,
    Arrival,
    Deadline,
    StoredReply,
    bounded,
    issue_of,
    may_go_well_again,
    partner,
)
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.bundle import MessageBundle, reply
from bars_portal.exchange.fhir.identifiers import ServiceID, is_fhir_id, is_uuid
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode, OutcomeError, broken, fault, named
from bars_portal.exchange.fhir.rules import FindService, HostedService, Verdict, judge
from bars_portal.exchange.fhir.structure import check_structure
from bars_portal.exchange.models import InboundMessage, InboundState
from bars_portal.exchange.registry import (
    MessageContext,
    MessageType,
    Refusal,
    message_type,
    owner_of,
    services,
    workflow_rows,
)
from bars_portal.exchange.transport.headers import (
    CORRELATION_ID,
    REQUEST_ID,
    IncomingHeaders,
    storable_headers,
)
from bars_portal.sql import ask, insert, together

# Names drawn at random (references) may be taken: then another is drawn. And what was accepted while we
# looked is seen the second time.
_ATTEMPTS = 5


def receive(arrival: Arrival) -> StoredReply:
    """The answer to one `POST /$process-message`, already stored.

    Raises OutcomeError (408) only when there was no time to store it either, and DatabaseError.
    """
    seen = Seen()
    try:
        with bounded(arrival.deadline):
            reading = read_message(arrival, seen=seen)
        arrival.deadline.left()
    except OutcomeError as refusal:
        return _store_refused(_index(arrival) | seen.columns(), refusal, arrival)
    return _process(reading, arrival)


def _process(reading: "Reading", arrival: Arrival) -> StoredReply:
    columns = _index(arrival) | _meaning(reading)
    arrival = replace(arrival, organisation_id=reading.service.organisation_id)
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


def _attempt(message: InboundMessage, reading: "Reading", arrival: Arrival) -> StoredReply:
    for left in reversed(range(_ATTEMPTS)):
        try:
            with bounded(arrival.deadline), transaction.atomic(), together():
                with named("once"):
                    # A guess that was wrong once is not made again.
                    is_new = claim(arrival, reading) and left == _ATTEMPTS - 1
                with named("applied"):
                    return _apply(message, reading, arrival, _context(message, reading, arrival, is_new))
        except IntegrityError as error:
            if not (left and may_go_well_again(error)):
                raise
    raise AssertionError("The last attempt answers or raises.")


def _apply(
    message: InboundMessage, reading: "Reading", arrival: Arrival, context: MessageContext
) -> StoredReply:
    applied = reading.kind.apply(reading.parsed, context)
    if isinstance(applied, Refusal):
        # In this very transaction: what was written in it stays.
        return _refuse(message, broken(applied.issues, "applied"), arrival)
    bundle = applied.answer or reply(
        reading.bundle, now=arrival.now, focus=applied.focus[1], included=applied.included
    )
    answer = StoredReply(200, json.dumps(bundle))
    _store(message, InboundState.ACCEPTED, answer, arrival)
    return answer


def _refuse(message: InboundMessage, issues: tuple[Issue, ...], arrival: Arrival) -> StoredReply:
    answer = StoredReply.refusing(issues)
    _store(message, InboundState.REFUSED, answer, arrival, issues[0])
    return answer


def _store_refused(columns: dict[str, object], refusal: OutcomeError, arrival: Arrival) -> StoredReply:
    """A row of its own: what was accepted stays what it is, even when we do not know that it was."""
    with bounded(arrival.deadline.extended()), transaction.atomic(), together():
        owner = owner_of(str(columns["service_id"]))
        return _refuse(InboundMessage(**columns), refusal.issues, replace(arrival, organisation_id=owner))


def _store(
    message: InboundMessage,
    state: InboundState,
    answer: StoredReply,
    arrival: Arrival,
    issue: Issue | None = None,
) -> None:
    message.state, message.completed_at = state, arrival.now
    message.status_code, message.reply = answer.status, answer.body
    insert(message)
    record(
        actor=arrival.actor,
        action="exchange.receive_message",
        subject=message,
        outcome="refused" if issue else "done",
        detail={
            "message_type": message.message_type,
            **(fault_of(issue, arrival.headers) if issue else {}),
            "rule": issue.rule if issue else None,
            "request_id": str(arrival.headers.request_id),
        },
        correlation_id=arrival.headers.correlation_id,
        now=arrival.now,
    )


def _context(
    message: InboundMessage, reading: "Reading", arrival: Arrival, is_new_conversation: bool
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
        is_new_conversation=is_new_conversation,
    )


def _index(arrival: Arrival) -> dict[str, object]:
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


def _meaning(reading: "Reading") -> dict[str, object]:
    """The columns that a message has once it was read."""
    return {
        **_said(reading.bundle),
        "bundle_id": reading.bundle.key,
        "message_type": reading.kind.key,
        "service_id": reading.service.service_id,
        "starts_conversation": reading.kind.starts_conversation,
        "warnings": [
            {"rule": issue.rule, "diagnostics": issue.diagnostics, "expression": list(issue.expression)}
            for issue in reading.warnings
        ],
    }


def _said(bundle: MessageBundle) -> dict[str, object]:
    return {"source_service_id": bundle.source.value if bundle.source else "", "focus_id": bundle.focus_id}


# -- what it says, and whether its sender may say it here


@dataclass
class Seen:
    """What is seen of a message on its way in, also of one that is refused then."""

    bundle: MessageBundle | None = None
    verdict: Verdict | None = None

    def columns(self) -> dict[str, object]:
        """By which a refused message is found, as far as it says anything usable."""
        if self.bundle is None:
            return {}
        row = self.verdict.row if self.verdict else None
        return {
            **_said(self.bundle),
            # Whoever looks for it types an id: any other text is none.
            "bundle_id": self.bundle.id if is_fhir_id(self.bundle.id) else "",
            "message_type": row.message_key if row else "",
        }


@dataclass(frozen=True)
class Reading:
    """A message that satisfies every rule; `parsed` is the message type's own form of it."""

    bundle: MessageBundle
    kind: MessageType
    service: HostedService
    parsed: Any
    warnings: tuple[Issue, ...]


def hosted(service_id: ServiceID) -> HostedService | None:
    """What the rules need to know of a service: a closed one goes on with what it has."""
    return services.provider.hosted(service_id, closed=True)


def read_message(arrival: Arrival, *, find: FindService = hosted, seen: Seen | None = None) -> Reading:
    """Raises OutcomeError with every issue found, the decisive one first.

    `find` looks up services in place of the directory; `seen` takes what was seen, even when it raises.
    """
    seen = seen or Seen()
    # Header and body mostly name the same service: looked up once a message.
    find = cache(find)
    # Access comes before content: the header already says which service is asked.
    target = arrival.headers.target if isinstance(arrival.headers.target, ServiceID) else None
    if target and (service := find(target)):
        service.check_access(arrival.headers.caller)
    with named("well-formed"):
        raw = arrival.read()
    bundle = seen.bundle = MessageBundle(raw)
    if issues := check_structure(raw):
        raise OutcomeError(*issues)
    verdict = seen.verdict = judge(bundle, find_service=find, workflows=workflow_rows(), target=target)
    if verdict.issues or verdict.row is None or verdict.service is None:
        raise OutcomeError(*verdict.issues)
    verdict.service.check_access(arrival.headers.caller)
    kind = message_type(verdict.row.message_key)
    with named("content"):
        parsed = kind.parse(bundle, now=arrival.now)
    return Reading(bundle, kind, verdict.service, parsed, verdict.warnings)


# -- the claim of its request id: a lock for as long as the transaction of the message (standard section 5)
# Whoever works on a message holds the lock; a worker that dies loses it with its connection. What was
# accepted is a row, and the unique index over those rows has the last word.

_CLAIM = """
    SELECT pg_try_advisory_xact_lock(%s::bigint),
        EXISTS (SELECT FROM exchange_inboundmessage WHERE request_id = %s AND state = 'accepted'),
        %s AND EXISTS (SELECT FROM exchange_inboundmessage
            WHERE bundle_id = %s AND state = 'accepted' AND starts_conversation),
        NOT EXISTS (SELECT FROM exchange_inboundmessage WHERE correlation_id = %s)"""


def claim(arrival: Arrival, reading: Reading) -> bool:
    """Keep the request id for the rest of the transaction; True when nothing came of its conversation yet.

    Raises OutcomeError: 409 when it was accepted before, 425 while another one works on it, 400 when its
    Bundle.id began a conversation before. What is accepted at this very moment the unique indexes tell.
    """
    request_id, bundle_id = arrival.headers.request_id, reading.bundle.key
    starts = reading.kind.starts_conversation and bundle_id != ""
    conversation = arrival.headers.correlation_id
    found = ask(_CLAIM, lock_of(request_id), request_id, starts, bundle_id, conversation)
    mine, accepted, reused, is_new = found or (False,) * 4
    place = "http.X-Request-ID"
    if accepted:
        raise fault(OutcomeCode.DUPLICATE, "A message with this X-Request-ID was processed.", place)
    if not mine:
        raise fault(OutcomeCode.TOO_EARLY, "A message with this X-Request-ID is being processed.", place)
    if reused:
        raise OutcomeError(REUSED)
    return bool(is_new)


def lock_of(request_id: UUID) -> int:
    """A signed number of 64 bits. Two ids in a lifetime may share one: then one sender is asked to wait."""
    high, low = unpack(">qq", request_id.bytes)
    return int(high ^ low)


# -- what is refused before anybody reads it: 415, 413, 406, no usable ids (standard section 3)


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
    """Keep what came, with the answer, and say so on the trail: it belongs to the record like any other.

    `body` is what was read of it. `headers` is None when they say too little. Raises DatabaseError.
    """
    answer = StoredReply.refusing(issues)
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
            actor=partner(headers, peer, owner_of(target)),
            action="exchange.receive_message",
            subject=message,
            outcome="refused",
            detail={
                "service_id": message.service_id or None,
                **fault_of(issues[0], headers),
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


def fault_of(issue: Issue, headers: IncomingHeaders | None) -> dict[str, str | None]:
    """For the trail: whose fault it is, and by which system the message was written, as far as it says."""
    software = headers.software if headers else None
    return {
        "code": code_of(issue),
        "fault": "sender" if issue.code.is_senders_fault else "receiver",
        "software": software.name[:_SAID] if software else None,
        "software_version": software.version[:_SAID] if software else None,
    }


# As much as the trail keeps of what a sender says of its system.
_SAID = 60


def code_of(issue: Issue) -> str:
    """As the trail names it: "415 REC_BAD_REQUEST not-supported"."""
    return f"{issue.code.status} {issue.code.code} {issue.code.issue}"
