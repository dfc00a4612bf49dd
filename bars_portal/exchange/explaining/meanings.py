"""What the end of an attempt to send means for an engineer: in words, and who must mend it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bars_portal.exchange.explaining.explain import Party
from bars_portal.exchange.fhir.outcomes import ReadIssue

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
