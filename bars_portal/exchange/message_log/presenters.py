"""Stored messages as engineers read them: headers decoded, what they say of people masked."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.outcomes import OutcomeError
from bars_portal.exchange.message_bytes import KEPT_OF_SYSTEMS, MASK, mask, readable
from bars_portal.exchange.message_log.conversations import Conversation, Message, at_of, partner_of
from bars_portal.exchange.models import (
    DeliveryAttempt,
    DeliveryState,
    InboundState,
    OutboundMessage,
    Unmasking,
)
from bars_portal.exchange.registry import message_types
from bars_portal.exchange.transport import headers as wire
from bars_portal.exchange.transport.judgement import Delivery
from bars_portal.nhsuk.words import with_direction_marks_told

_TONES = {
    DeliveryState.QUEUED: "waiting",
    DeliveryState.SENDING: "working",
    DeliveryState.ACCEPTED: "done",
    DeliveryState.REFUSED: "failed",
    DeliveryState.UNKNOWN: "attention",
    DeliveryState.ABANDONED: "attention",
}
_OUTCOMES = {
    Delivery.ACCEPTED: "Accepted",
    Delivery.DUPLICATE: "Delivered before",
    Delivery.FOUND: "Found by a read",
    Delivery.REFUSED: "Refused",
    Delivery.UNKNOWN: "No clear answer",
    "not-sent": "Not sent any more",
}


@dataclass(frozen=True)
class Line:
    """One conversation of the list: its newest messages in words."""

    id: UUID
    at: datetime
    kinds: tuple[str, ...]
    way: str
    partners: tuple[str, ...]
    state: str
    tone: str
    reason: str
    count: str


def kind_words(key: str) -> str:
    return next((each.label for each in message_types() if each.key == key), key or "Kind not known")


def state_words(message: Message) -> tuple[str, str]:
    """(words, tone of its tag)."""
    if isinstance(message, OutboundMessage):
        state = DeliveryState(message.state)
        return state.label, _TONES[state]
    return InboundState(message.state).label, _TONES[DeliveryState(message.state)]


def is_sent(message: Message) -> bool:
    return isinstance(message, OutboundMessage)


def named(service_ids: Iterable[str], known: Mapping[str, str]) -> tuple[str, ...]:
    """ "Riverside Hub (2000099999)"; the id alone of a service that the directory does not have."""
    return tuple(f"{known[each]} ({each})" if each in known else each for each in service_ids)


def lines(conversations: Iterable[Conversation], known: Mapping[str, str]) -> list[Line]:
    return [_line(each, known) for each in conversations]


def _line(conversation: Conversation, known: Mapping[str, str]) -> Line:
    messages = conversation.messages
    ways = dict.fromkeys("Sent" if is_sent(each) else "Received" for each in reversed(messages))
    state, tone = state_words(conversation.newest)
    number = f"More than {len(messages)}" if conversation.is_cut else str(len(messages))
    return Line(
        id=conversation.id,
        at=at_of(conversation.newest),
        # In the order in which they came, as people tell a story.
        kinds=tuple(dict.fromkeys(kind_words(each.message_type) for each in reversed(messages))),
        way=" and ".join([*ways][:1] + [each.lower() for each in [*ways][1:]]),
        partners=named(conversation.partners, known) or ("Partner not known",),
        state=state,
        tone=tone,
        reason=reason_of(conversation.newest),
        count=f"{number} message{'' if number == '1' else 's'}",
    )


def reason_of(message: Message) -> str:
    """Of a sent one our own machine word, of a received one the status of our answer."""
    if isinstance(message, OutboundMessage):
        return "" if message.state == DeliveryState.ACCEPTED and "/" not in message.reason else message.reason
    return f"HTTP {message.status_code}" if message.status_code else ""


# -- one message, whole


@dataclass(frozen=True)
class HeaderLine:
    """`decoded`: the JSON behind a header of the NHS, indented; "" for a plain one."""

    name: str
    value: str
    decoded: str = ""


@dataclass(frozen=True)
class AttemptView:
    number: int
    started_at: datetime
    outcome: str
    reason: str
    status: str
    took: str
    headers: list[HeaderLine]
    answer: str


@dataclass(frozen=True)
class MessageView:
    """`until`: when it is masked again; None while it is masked. `other_id`: another correlation id."""

    id: UUID
    is_sent: bool
    at: datetime
    kind: str
    partner: str
    state: str
    tone: str
    reason: str
    facts: list[tuple[str, str]]
    headers: list[HeaderLine]
    body: str
    attempts: list[AttemptView]
    our_answer: str
    warnings: list[tuple[str, str]]
    until: datetime | None
    other_id: UUID | None


def message_view(
    message: Message, known: Mapping[str, str], *, key: UUID, until: datetime | None
) -> MessageView:
    """`key`: of the conversation that it is shown in."""
    state, tone = state_words(message)
    masked, sent = until is None, isinstance(message, OutboundMessage)
    return MessageView(
        id=message.pk,
        is_sent=sent,
        at=at_of(message),
        kind=kind_words(message.message_type),
        partner=(*named([partner_of(message)], known), "")[0] or "Not known",
        state=state,
        tone=tone,
        reason=reason_of(message),
        facts=[(name, value) for name, value in _facts(message, known) if value],
        headers=header_lines(message.headers, masked=masked),
        body=_shown(message.body, masked=masked),
        attempts=_attempts(message, masked=masked) if isinstance(message, OutboundMessage) else [],
        our_answer=""
        if isinstance(message, OutboundMessage)
        else _shown(message.reply, masked=masked, ours=True),
        warnings=[] if isinstance(message, OutboundMessage) else _warnings(message.warnings),
        until=until,
        other_id=message.correlation_id if message.correlation_id not in (None, key) else None,
    )


def _facts(message: Message, known: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield "Request id", str(message.request_id or "")
    yield "Correlation id", str(message.correlation_id or "")
    yield "Bundle.id", str(message.bundle_id or "")
    yield "About (focus)", str(message.focus_id or "")
    if isinstance(message, OutboundMessage):
        yield "Sent by", message.actor_label
        return
    yield "To our service", named([message.service_id], known)[0] if message.service_id else "Not told"
    yield "Sender's ODS code", message.sender_ods_code
    yield "Certificate", message.peer


def _attempts(message: OutboundMessage, *, masked: bool) -> list[AttemptView]:
    return [_attempt(each, masked=masked) for each in message.attempts.all()]


def _attempt(attempt: DeliveryAttempt, *, masked: bool) -> AttemptView:
    return AttemptView(
        number=attempt.number,
        started_at=attempt.started_at,
        outcome=_OUTCOMES.get(attempt.outcome, attempt.outcome) or "Being sent",
        reason=attempt.reason,
        status=str(attempt.status_code or ""),
        took=milliseconds(attempt.elapsed_ms),
        headers=header_lines(attempt.reply_headers, masked=masked),
        answer=_shown(attempt.reply, masked=masked) if attempt.reply is not None else "",
    )


def milliseconds(count: float | None) -> str:
    """ "340 ms", "2.1 s"; "" when it is not known."""
    if count is None:
        return ""
    return f"{count:.0f} ms" if count < 1000 else f"{count / 1000:.1f} s"


def _shown(body: bytes | memoryview | None, *, masked: bool, ours: bool = False) -> str:
    return with_direction_marks_told(readable(body, masked=masked, ours=ours))


def _warnings(told: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(rule, where) of what the rules let pass."""
    return [(str(each.get("rule", "")), ", ".join(each.get("expression", ()))) for each in told]


# Of the headers that BaRS has JSON in, those that speak of systems and of nobody.
_OF_SYSTEMS = frozenset(each.lower() for each in (wire.TARGET, wire.ORGANISATION, wire.SOFTWARE))
_JSON = _OF_SYSTEMS | {wire.PRACTITIONER.lower()}
# What they say is of the exchange itself; the value of any other may be anything.
_PLAIN = frozenset(
    {
        *(wire.REQUEST_ID.lower(), wire.CORRELATION_ID.lower(), wire.USE_CONTEXT, "accept", "content-type"),
        *("content-length", "content-encoding", "date", "retry-after", "x-ssl-client-verify"),
    }
)


def header_lines(headers: Mapping[str, Any], *, masked: bool) -> list[HeaderLine]:
    return [_header(name, str(value), masked=masked) for name, value in sorted(headers.items())]


def _header(name: str, value: str, *, masked: bool) -> HeaderLine:
    lower = name.lower()
    if lower in _JSON:
        decoded = _decoded(value, masked=masked, of_systems=lower in _OF_SYSTEMS)
        if decoded:
            return HeaderLine(name, MASK if masked else value, decoded)
        return HeaderLine(name, "Not the base64 of a JSON object" if masked else value)
    return HeaderLine(name, MASK if masked and lower not in _PLAIN else value)


def _decoded(text: str, *, masked: bool, of_systems: bool) -> str:
    """Indented; "" for what is no base64 of a JSON object."""
    compact = "".join(text.split())
    try:
        value = json.loads(base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True))
    except (ValueError, OutcomeError):
        return ""
    if masked:
        value = mask(value, KEPT_OF_SYSTEMS) if of_systems else mask(value)
    return with_direction_marks_told(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode())


# -- the report of unmaskings

REPORT_COLUMNS = ("When", "Who", "Username", "Message", "Kind", "Partner", "Why", "Until")


@dataclass(frozen=True)
class UnmaskingRow:
    at: datetime
    until: datetime
    who: str
    username: str
    message_id: UUID
    way: str
    kind: str
    partner: str
    reason: str


def unmasking_row(unmasking: Unmasking) -> UnmaskingRow:
    message = unmasking.message
    return UnmaskingRow(
        at=unmasking.at,
        until=unmasking.until,
        who=unmasking.user_label,
        username=unmasking.user.get_username(),
        message_id=message.pk,
        way="Sent" if is_sent(message) else "Received",
        kind=kind_words(message.message_type),
        partner=partner_of(message),
        reason=unmasking.reason,
    )


def report_cells(unmasking: Unmasking) -> tuple[str, ...]:
    """Times in UTC."""
    row = unmasking_row(unmasking)
    what = f"{row.way} {row.message_id}"
    when, until = (each.isoformat(timespec="seconds") for each in (row.at, row.until))
    return when, row.who, row.username, what, row.kind, row.partner, row.reason, until
