"""Messages of the log explained: those that came, with our answer then; those we sent, with the answers.

What the end of an attempt to send means is told in words, and who must mend it. A dry run of a message that
came says what `inbound.receive` would answer today: all that it writes stands in one transaction that is
rolled back, and what waits for its commit goes with it. Its X-Request-ID is a new one: it takes no lock from
a repeat that the sender makes meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from uuid import UUID, uuid4

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection, transaction

from bars_portal.exchange.arrival import Arrival, StoredReply, issue_of
from bars_portal.exchange.explaining.explain import (
    Explanation,
    Letter,
    Party,
    Rehearsed,
    Watched,
    explain,
    explained,
    rehearse,
    stand_in,
)
from bars_portal.exchange.explaining.guidance import APPLIED, ONCE
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.formats import Format
from bars_portal.exchange.fhir.outcomes import OutcomeError, ReadIssue, read_outcome
from bars_portal.exchange.fhir.replies import shortfall
from bars_portal.exchange.inbound import hosted, receive
from bars_portal.exchange.models import DeliveryAttempt, InboundMessage, InboundState, OutboundMessage
from bars_portal.exchange.selectors import reached
from bars_portal.exchange.transport.headers import REQUEST_ID
from bars_portal.exchange.transport.judgement import Delivery, judge_answer
from bars_portal.http import Answer

Meaning = tuple[str, Party | None]

# By the reasons of transport.judgement and fhir.replies; what needs no mending names nobody.
_BY_REASON: dict[str, Meaning] = {
    "": ("It has not ended yet.", None),
    "accepted": ("The receiver took it.", None),
    "duplicate": ("The receiver had taken this very message before.", None),
    "obsolete": ("Nobody wanted it sent any more.", None),
    "too-early": ("An earlier attempt was still being worked on over there.", None),
    "not-sent": ("Nothing went out: no connection was made, or the service is spared for now.", Party.US),
    "token-refused": (
        "Nothing went out: there was no token for us. Check our key and where it is told.",
        Party.US,
    ),
    "no-credentials": (
        "Nothing went out: the organisation has no connection of its own, or it was switched off.",
        Party.US,
    ),
    "unauthorised": ("Our token was not taken.", Party.US),
    "forbidden": ("The API does not let our application in.", Party.US),
    "throttled": ("We were asked to send less at a time.", Party.US),
    "worker-lost": ("Our worker ended while it was sending.", Party.US),
    "timeout": ("No answer came in time.", Party.RECEIVER),
    "unavailable": ("The receiver was not available.", Party.RECEIVER),
    "cut": ("The connection broke before the answer was whole.", Party.PROXY),
    "garbled": ("What came back was no HTTP that can be read.", Party.PROXY),
    "ids-not-echoed": ("The answer does not repeat the ids of the request.", Party.RECEIVER),
    "unreadable-reply": ("A success came without the message that belongs in it.", Party.RECEIVER),
    "no-outcome": ("A refusal came without an OperationOutcome.", Party.RECEIVER),
    "other-bundle": ("The answer has another Bundle.id than the message.", Party.RECEIVER),
    "no-focus": ("The answer has no focus of the type that was sent.", Party.RECEIVER),
    "other-status": ("The focus of the answer has another status than was asked for.", Party.RECEIVER),
    "no-id": ("The focus of the answer has no id.", Party.RECEIVER),
    "other-id": ("The focus of the answer has another id than was asked for.", Party.RECEIVER),
    "slot-not-busy": ("The slot in the answer is not busy.", Party.RECEIVER),
    "no-time": ("The booking in the answer has no time.", Party.RECEIVER),
    "no-patient": ("The answer does not say whom it is about.", Party.RECEIVER),
    "other-time": ("The answer is about another time.", Party.RECEIVER),
    "other-patient": ("The answer is about somebody else.", Party.RECEIVER),
    "other-category": ("The answer is about a request of another category.", Party.RECEIVER),
    "other-service": ("The answer names another service.", Party.RECEIVER),
    "no-reference": ("The answer lacks the receiver's own Encounter with its reference.", Party.RECEIVER),
}
# Refusals of the receiver, by status.
_BY_STATUS: dict[int, Meaning] = {
    401: ("The receiver does not let us in.", Party.RECEIVER),
    403: ("The receiver does not let us in.", Party.RECEIVER),
    404: ("The receiver does not know the service, or what the message is about.", Party.US),
    409: ("What the receiver holds stands in the way: read it again before the next try.", Party.US),
}
_SOUND: Meaning = (
    "The receiver finds a fault in the message, and by our rules there is none: ask which rule it means.",
    Party.RECEIVER,
)
_FAULTY: Meaning = ("The receiver finds a fault in the message, and so do our rules: see above.", Party.US)
_BY_PREFIX: dict[str, Meaning] = {
    "SEND_": ("The API refused the request before it reached the proxy.", Party.US),
    "PROXY_": ("The proxy refused it, or failed on the way to the receiver.", Party.PROXY),
}


def meaning_of(reason: str, status: int | None, issues: Sequence[ReadIssue], *, is_sound: bool) -> Meaning:
    """`is_sound`: our own rules find no fault in the message. What a later read added does not change it."""
    known = _BY_REASON.get(reason.partition("/")[0])
    if known is not None:
        return known
    code = issues[0].code.upper() if issues else ""
    for prefix, meaning in _BY_PREFIX.items():
        if code.startswith(prefix):
            return meaning
    if status is not None and status >= 500:
        return "The receiver failed.", Party.RECEIVER
    return _BY_STATUS.get(status or 0) or (_SOUND if is_sound else _FAULTY)


def find_message(organisation_id: int, message_id: UUID) -> InboundMessage | OutboundMessage | None:
    """One that came to a service of the organisation, or that the organisation sent."""
    received = InboundMessage.objects.filter(reached(organisation_id), pk=message_id).first()
    return received or OutboundMessage.objects.filter(pk=message_id, organisation_id=organisation_id).first()


# -- received: what we answered then, and what differs now

# The body was larger than is taken, or did not arrive whole: nothing of it was kept.
_UNREAD = frozenset({HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_TIMEOUT})


def is_unread(message: InboundMessage) -> bool:
    """Whether there is nothing to explain beyond our answer then."""
    return not message.body and message.status_code in _UNREAD


def letter_of(message: InboundMessage, *, request_id: UUID | None = None) -> Letter:
    """As it came; with `request_id` in place of the id of its request, where it had one."""
    headers: dict[str, str] = dict(message.headers)
    if request_id is not None and message.request_id is not None:
        headers = {name: value for name, value in headers.items() if name.lower() != REQUEST_ID.lower()}
        headers[REQUEST_ID] = str(request_id)
    return Letter(bytes(message.body), headers, message.peer)


def explain_received(message: InboundMessage, *, skipped: Mapping[str, str] | None = None) -> Explanation:
    """By today's rules and today's directory, up to what would be done about it."""
    return explain(letter_of(message), skipped=skipped)


@dataclass(frozen=True)
class Answered:
    """One answer: its status, what it refused for and what was only noted, each with its code."""

    status: int | None
    refusals: tuple[str, ...]
    warnings: tuple[str, ...]


def answered_then(message: InboundMessage) -> Answered:
    """Our stored answer, so its words are our own."""
    issues = read_outcome(bytes(message.reply or b""))
    warnings = tuple(str(each.get("diagnostics", "")) for each in message.warnings)
    return Answered(
        message.status_code, tuple(_said(each, message.status_code or 0) for each in issues), warnings
    )


def _said(issue: ReadIssue, status: int) -> str:
    # Whose diagnostics they are goes without saying here.
    words = issue.diagnostics.removeprefix(f"{settings.BARS['ODS_CODE']}: ")
    return f"{status} {issue.code} {issue.issue}: {words}"


def answered_now(explanation: Explanation) -> Answered:
    """Each issue under the status of the whole answer, as it was read then."""
    status = explanation.answer.status
    refusals = (
        f"{status} {each.code.code} {each.code.issue}: {each.diagnostics}"
        for each in explanation.answer.issues
    )
    # What was noticed of a message that its rules refused was never kept.
    warnings = explanation.warnings if explanation.was_read else ()
    return Answered(status, tuple(refusals), tuple(each.diagnostics for each in warnings))


@dataclass(frozen=True)
class Change:
    """One line of the comparison; `when` is "then", "now" or "both"."""

    when: str
    text: str


def changes(then: Answered, now: Answered) -> tuple[Change, ...]:
    """What was said then and now, what both have in common last. The status comes first where it differs."""
    lines: list[Change] = []
    if then.status != now.status:
        lines += [Change("then", status_words(then.status)), Change("now", status_words(now.status))]
    lines += _compared(then.refusals, now.refusals)
    lines += _compared(*(tuple(f"Warning: {each}" for each in side.warnings) for side in (then, now)))
    if then.status == now.status:
        lines.append(Change("both", status_words(then.status)))
    return tuple(sorted(lines, key=lambda each: each.when == "both"))


def _compared(then: tuple[str, ...], now: tuple[str, ...]) -> Iterator[Change]:
    yield from (Change("then", each) for each in then if each not in now)
    yield from (Change("now", each) for each in now if each not in then)
    yield from (Change("both", each) for each in then if each in now)


def status_words(status: int | None) -> str:
    """ "400 Bad Request"; in words when nothing was answered."""
    if status is None:
        return "No answer"
    known = next((each.phrase for each in HTTPStatus if each == status), "")
    return f"{status} {known}".strip()


# -- sent: every answer to it, what we made of it then, and what we would make of it now


def explain_sent(message: OutboundMessage) -> Explanation:
    """Our message by the rules that a receiver has, but for what only that receiver knows."""
    headers = {"Content-Type": Format.JSON.value, **message.headers}
    return explain(Letter(bytes(message.body), headers), find=stand_in, ours=True)


@dataclass(frozen=True)
class Attempted:
    """One attempt to send. `said` are codes of theirs, never their words, which may quote the message."""

    number: int
    at: datetime
    status: str
    said: tuple[str, ...]
    outcome: str
    reason: str
    words: str
    party: Party | None
    # What we would make of the same answer today, where that is another thing.
    differs: str


def attempts_of(message: OutboundMessage, explanation: Explanation) -> tuple[Attempted, ...]:
    """Newest first."""
    rows = message.attempts.order_by("-number")
    return tuple(_attempted(message, each, explanation) for each in rows)


def _attempted(message: OutboundMessage, attempt: DeliveryAttempt, explanation: Explanation) -> Attempted:
    body = bytes(attempt.reply or b"")
    issues = read_outcome(body)
    words, party = meaning_of(attempt.reason, attempt.status_code, issues, is_sound=not explanation.decisive)
    return Attempted(
        attempt.number,
        attempt.started_at,
        status_words(attempt.status_code),
        tuple(filter(None, (f"{each.code} {each.issue}".strip() for each in issues))),
        attempt.outcome,
        attempt.reason,
        words,
        party,
        _today(message, attempt) if attempt.status_code is not None else "",
    )


def _today(message: OutboundMessage, attempt: DeliveryAttempt) -> str:
    """By the very functions that judged it; what a later read added to the reason is no part of that."""
    answer = Answer(
        attempt.status_code or 0,
        attempt.reply_headers,
        bytes(attempt.reply or b""),
        attempt.elapsed_ms or 0,
    )
    judged = judge_answer(
        answer,
        request_id=message.request_id,
        correlation_id=message.correlation_id,
        now=attempt.finished_at,
    )
    delivery, reason = judged.delivery, judged.reason
    if delivery is Delivery.ACCEPTED:
        lacks = _lacks(message, answer)
        delivery, reason = (Delivery.UNKNOWN, lacks) if lacks else (delivery, reason)
    same = attempt.reason.partition("/")[0] == reason
    return "" if same else f"{delivery}: {reason}"


def _lacks(message: OutboundMessage, answer: Answer) -> str:
    try:
        asked, reply = (MessageBundle(json.loads(each)) for each in (bytes(message.body), answer.body))
    except OutcomeError:
        return "unreadable-reply"
    return shortfall(asked, reply)


@dataclass(frozen=True)
class Replayed:
    """What a message met today, and how that differs from the answer that it got."""

    explanation: Explanation
    then: Answered
    now: Answered
    changes: tuple[Change, ...]
    # It was accepted, so only its rules were tried: what it did stands in its own way.
    was_applied: bool

    @property
    def is_same(self) -> bool:
        return all(each.when == "both" for each in self.changes)


def replay(message: InboundMessage) -> Replayed:
    """The dry run of a message that we have received. Keeps nothing, whatever becomes of it."""
    was_applied = message.state == InboundState.ACCEPTED
    explanation = _without_applying(message) if was_applied else _dry_run(message)
    then, now = answered_then(message), answered_now(explanation)
    return Replayed(explanation, then, now, changes(then, now), was_applied)


def _without_applying(message: InboundMessage) -> Explanation:
    applied = "It was done then, and a dry run does nothing twice."
    return explain_received(message, skipped={ONCE: applied, APPLIED: applied})


def _dry_run(message: InboundMessage) -> Explanation:
    letter, watched = letter_of(message, request_id=uuid4()), Watched()

    def answer(arrival: Arrival) -> StoredReply:
        # Only watched: `receive` reads it again, and what refuses it here refuses it there.
        with suppress(OutcomeError):
            watched.read(arrival, hosted)
        return receive(arrival)

    with transaction.atomic():
        rehearsed = _at_commit(rehearse(letter, answer))
        transaction.set_rollback(True, using=connection.alias)
    return explained(letter, rehearsed, watched, unnamed=APPLIED, skipped={})


def _at_commit(rehearsed: Rehearsed) -> Rehearsed:
    """What the database would say at the commit: constraints that it puts off until then."""
    if rehearsed.answer.issues or connection.needs_rollback:
        return rehearsed
    try:
        connection.check_constraints()
    except DatabaseError as error:
        return Rehearsed(StoredReply.refusing((issue_of(error),)), rehearsed.is_past_the_edge)
    return rehearsed
