"""What an answer to a message means for its delivery: standard section 8 as a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.outcomes import OutcomeError, ReadIssue, read_outcome
from bars_portal.exchange.transport.headers import CORRELATION_ID, REQUEST_ID
from bars_portal.http import Answer, NotSent, TransportError, http_date


class Delivery(StrEnum):
    """Unknown: send the same bytes and ids again, later; the others are final, once they were read back.

    Found: it was refused, and a read shows that it had been applied; no answer says that by itself.
    """

    ACCEPTED = "accepted"
    REFUSED = "refused"
    DUPLICATE = "duplicate"
    FOUND = "found"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Judgement:
    """`reason`: one of our own machine words, never text of the other side. `retry_after`: whole seconds."""

    delivery: Delivery
    reason: str
    issues: tuple[ReadIssue, ...] = ()
    retry_after: int | None = None


# Retry whatever the body says.
RETRY_STATUS = {
    401: "unauthorised",
    408: "timeout",
    425: "too-early",
    429: "throttled",
    503: "unavailable",
    504: "timeout",
}
# Retry whatever the status says; written without the prefix SEND_, PROXY_ or REC_.
RETRY_CODE = {
    "TIMEOUT": "timeout",
    "TOO_MANY_REQUESTS": "throttled",
    "UNAVAILABLE": "unavailable",
    "SERVICE_UNAVAILABLE": "unavailable",
}
# Only the API's own refusal is about our token; REC_FORBIDDEN is the receiver's last word.
RETRY_WHOLE_CODE = {"SEND_FORBIDDEN": "forbidden"}
# Whom a receiver does not let in gets its last word; every other 401 is about our token.
FINAL_CODE = frozenset({"REC_UNAUTHORIZED"})
# The live proxy also writes statuses where an issue code belongs.
RETRY_ISSUE = {str(status): reason for status, reason in RETRY_STATUS.items()}
# The reasons of a refusal, by code without prefix; any other code gives "http-<status>".
REFUSALS = frozenset(
    {
        "BAD_REQUEST",
        "UNAUTHORIZED",
        "FORBIDDEN",
        "NOT_FOUND",
        "METHOD_NOT_ALLOWED",
        "NOT_ACCEPTABLE",
        "CONFLICT",
        "UNPROCESSABLE_ENTITY",
        "SERVER_ERROR",
        "NOT_IMPLEMENTED",
    }
)
_PREFIXES = ("SEND_", "PROXY_", "REC_")
_FAILURES = frozenset({"error", "fatal"})


def judge_answer(
    answer: Answer,
    *,
    request_id: UUID,
    correlation_id: UUID,
    expected: str = "Bundle:message",
    now: datetime | None = None,
) -> Judgement:
    """Judge the answer to a request that carried these two ids.

    `expected` names what a success holds: a resource type, or "Bundle:<type>". `now` (aware) is only needed
    for a Retry-After that is a date; without it the answer's own Date counts.
    """
    issues = read_outcome(answer.body)
    echoed = _echoes(answer, REQUEST_ID, request_id) and _echoes(answer, CORRELATION_ID, correlation_id)
    if answer.is_success:
        return _judge_success(answer, issues, echoed=echoed, expected=expected)
    return _judge_failure(answer, issues, echoed=echoed, now=now)


def judge_error(error: TransportError) -> Judgement:
    """The same without an answer: "not-sent", or the kind of error, such as "timeout" or "token-refused"."""
    return Judgement(Delivery.UNKNOWN, "not-sent" if isinstance(error, NotSent) else error.kind)


def _judge_success(
    answer: Answer, issues: tuple[ReadIssue, ...], *, echoed: bool, expected: str
) -> Judgement:
    if not echoed:
        return Judgement(Delivery.UNKNOWN, "ids-not-echoed", issues)
    if _content(answer.body) != expected:
        return Judgement(Delivery.UNKNOWN, "unreadable-reply", issues)
    return Judgement(Delivery.ACCEPTED, "accepted")


def _judge_failure(
    answer: Answer, issues: tuple[ReadIssue, ...], *, echoed: bool, now: datetime | None
) -> Judgement:
    decisive = _decisive(issues)
    if answer.status == 409 and decisive and decisive.issue.lower() == "duplicate":
        return Judgement(Delivery.DUPLICATE, "duplicate", issues)
    reason = _retry_reason(answer.status, issues, decisive, echoed=echoed)
    if reason:
        return Judgement(Delivery.UNKNOWN, reason, issues, retry_after_seconds(answer, now=now))
    return Judgement(Delivery.REFUSED, _refusal_reason(answer.status, decisive), issues)


def _retry_reason(
    status: int, issues: Sequence[ReadIssue], decisive: ReadIssue | None, *, echoed: bool
) -> str | None:
    by_status = None if _ends(decisive) else RETRY_STATUS.get(status)
    by_issue = next(filter(None, map(_issue_reason, issues)), None)
    if by_status or by_issue:
        return by_status or by_issue
    if not issues:
        return "no-outcome"
    return None if echoed else "ids-not-echoed"


def is_about_token(answer: Answer) -> bool:
    """Whether another token may change it: the API's own refusal, or a 401 but the receiver's last word."""
    if answer.status not in (401, 403):
        return False
    issues = read_outcome(answer.body)
    if answer.status == 401:
        return not _ends(_decisive(issues))
    return any(issue.code.upper() in RETRY_WHOLE_CODE for issue in issues)


def _ends(decisive: ReadIssue | None) -> bool:
    return decisive is not None and decisive.code.upper() in FINAL_CODE


def _issue_reason(issue: ReadIssue) -> str | None:
    """By details code, in whatever system, or by an HTTP status that stands in place of the issue code."""
    by_code = RETRY_WHOLE_CODE.get(issue.code.upper()) or RETRY_CODE.get(_bare(issue.code))
    return by_code or RETRY_ISSUE.get(issue.issue)


def _refusal_reason(status: int, decisive: ReadIssue | None) -> str:
    bare = _bare(decisive.code) if decisive else ""
    return bare.lower().replace("_", "-") if bare in REFUSALS else f"http-{status}"


def _decisive(issues: Sequence[ReadIssue]) -> ReadIssue | None:
    """The first failure: issues come in order of importance, and hints may stand before it."""
    failures = [issue for issue in issues if issue.severity.lower() in _FAILURES]
    return next(iter(failures or issues), None)


def _bare(code: str) -> str:
    upper = code.upper()
    prefix = next((prefix for prefix in _PREFIXES if upper.startswith(prefix)), "")
    return upper.removeprefix(prefix)


def _echoes(answer: Answer, name: str, value: UUID) -> bool:
    return (answer.header(name) or "").strip().lower() == str(value)


def _content(body: bytes) -> str:
    """What the body holds: "Appointment", "Bundle:searchset"...; "" when it is not a JSON object."""
    try:
        resource = json.loads(body)
    except OutcomeError:
        return ""
    kind = str(resource.get("resourceType", ""))
    return f"{kind}:{resource.get('type', '')}" if kind == "Bundle" else kind


# -- what an answer says of the partner itself, whatever becomes of the message


class Health(StrEnum):
    """Whether the other side is there. Unsaid: the proxy, the token or we ourselves were in the way."""

    UP = "up"
    DOWN = "down"
    UNSAID = "unsaid"


# Nobody was there in time, or somebody in front of the partner says so.
_DOWN_STATUS = frozenset({408, 502, 503, 504})
_DOWN_CODE = frozenset({"TIMEOUT", "UNAVAILABLE", "SERVICE_UNAVAILABLE"})
_DOWN_KIND = frozenset({"connect", "tls", "timeout", "cut"})


def health_of_answer(answer: Answer) -> Health:
    """An answer of the receiver shows that it is there, a refusal too; one of the proxy shows nothing."""
    issues = read_outcome(answer.body)
    codes = {issue.code.upper() for issue in issues}
    if answer.status in _DOWN_STATUS or any(_bare(code) in _DOWN_CODE for code in codes):
        return Health.DOWN
    by_receiver = any(code.startswith("REC_") for code in codes)
    return Health.UP if answer.is_success or by_receiver else Health.UNSAID


def health_of_error(error: TransportError) -> Health:
    return Health.DOWN if error.kind in _DOWN_KIND else Health.UNSAID


# -- Retry-After (RFC 9110 section 10.2.3): seconds, or an HTTP date

# A day: nobody waits longer, and a wrong clock over there must not park a message for good.
LIMIT_SECONDS = 86_400


def retry_after_seconds(answer: Answer, *, now: datetime | None) -> int | None:
    """Whole seconds from 0 to a day; None when the header is absent or unreadable."""
    text = (answer.header("Retry-After") or "").strip()
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else _until(text, answer, now)
    return None if seconds is None else min(max(seconds, 0), LIMIT_SECONDS)


def _until(text: str, answer: Answer, now: datetime | None) -> int | None:
    moment, base = http_date(text), now or http_date(answer.header("Date") or "")
    return None if moment is None or base is None else round((moment - base).total_seconds())
