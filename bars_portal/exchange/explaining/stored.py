"""Messages of the log explained: those that came, with our answer then; those we sent, with the answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from uuid import UUID

from django.conf import settings

from bars_portal.exchange.explaining.explain import Explanation, Party, explain, stand_in
from bars_portal.exchange.explaining.meanings import meaning_of
from bars_portal.exchange.explaining.rehearsal import Letter
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.formats import Format
from bars_portal.exchange.fhir.outcomes import OutcomeError, ReadIssue, read_outcome
from bars_portal.exchange.fhir.replies import shortfall
from bars_portal.exchange.models import DeliveryAttempt, InboundMessage, OutboundMessage
from bars_portal.exchange.selectors import reached
from bars_portal.exchange.transport.headers import REQUEST_ID
from bars_portal.exchange.transport.judgement import Delivery, judge_answer
from bars_portal.http import Answer


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
