"""What came by and what was answered, for the status page and the reports; one log line each.

The log never holds patient data. The entries hold whole messages, in memory only: they are the tester's own.
"""

import logging
import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from threading import Lock

from bars_portal.simulator.config import TOKEN_PATH, Clock
from bars_portal.simulator.drills import ConnectionCut
from bars_portal.simulator.fhir import NotFhir, read_bundle
from bars_portal.simulator.headers import ORGANISATION_HEADER, TARGET_HEADER, decode_target, organisation_code
from bars_portal.simulator.outcomes import Refused
from bars_portal.simulator.verdicts.message import Message
from bars_portal.simulator.wire import Answer, Request

KEPT = 1000
KEPT_BYTES = 64 * 1024 * 1024
LONGEST_PATH, LONGEST_CODE = 120, 40
RECEIVED, SENT = "received", "sent"
# The token is nobody's business but the proxy's.
NOT_KEPT = frozenset({"authorization", "proxy-authorization", "cookie"})
# An NHS number has ten digits: nothing like it belongs in a path, so whatever looks so is hidden.
_LONG_NUMBER = re.compile(r"\d{9,}")
_SERVICE_ID = re.compile(r"[A-Za-z0-9]{1,20}")
log = logging.getLogger("simulator")


@dataclass(frozen=True)
class Entry:
    """One exchange. Text fields are safe to show; `request` and `answer` are the messages as they were.

    `direction` is RECEIVED (a sender asked us) or SENT (a reply that we set off), `status` the HTTP status,
    "cut" or "failed", `organisation` the end user's ODS code ("-" without one), `service` the target's id,
    `scenario` the name of the row or drill that decided the answer ("" where none did), `summary` what the
    message is. `answer` is None where none was given.
    """

    number: int
    at: datetime
    took_ms: int
    direction: str
    organisation: str
    service: str
    method: str
    path: str
    status: str
    scenario: str
    summary: str
    request: Request
    answer: Answer | None

    @property
    def size(self) -> int:
        """Bytes of both bodies."""
        return len(self.request.body) + (len(self.answer.body) if self.answer else 0)


class Journal:
    """The last KEPT exchanges, at most KEPT_BYTES of bodies, newest first. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._numbers = count(1)
        self._entries: deque[Entry] = deque()
        self._bytes = 0

    def keep(
        self, request: Request, ask: Callable[[Request], Answer], *, clock: Clock, **facts: str
    ) -> Answer:
        """What comes of asking, noted with the facts; a cut connection is noted too. Raises ConnectionCut."""
        began, at = time.monotonic(), clock()
        answer, status, scenario = None, "failed", ""
        try:
            answer = ask(request)
            status, scenario = str(answer.status), answer.scenario
        except ConnectionCut as cut:
            status, scenario = "cut", cut.scenario
            raise
        finally:
            took = round((time.monotonic() - began) * 1000)
            noted = {"scenario": scenario, **facts}
            self.note(request, answer=answer, status=status, at=at, took_ms=took, **noted)
        return answer

    def note(
        self,
        request: Request,
        *,
        answer: Answer | None,
        status: str,
        at: datetime,
        took_ms: int,
        scenario: str = "",
        direction: str = RECEIVED,
        organisation: str = "",
    ) -> None:
        """Remembers the exchange and logs it, the log line without query, headers and bodies.

        `organisation` is whose exchange it is, where the request's own header does not say so.
        """
        kept, given = _without_secrets(request, answer)
        entry = Entry(
            number=next(self._numbers),
            at=at,
            took_ms=took_ms,
            direction=direction,
            organisation=organisation or organisation_code(request.header(ORGANISATION_HEADER)) or "-",
            service=_service(request),
            method=request.method[:10],
            path=safe_path(request.raw_path),
            status=status,
            scenario=scenario,
            summary=_summary(kept),
            request=kept,
            answer=given,
        )
        self._keep(entry)
        log.info("%s %s service=%s status=%s ms=%d", entry.method, entry.path, entry.service, status, took_ms)

    def entries(self) -> tuple[Entry, ...]:
        """What is remembered, newest first."""
        with self._lock:
            return tuple(self._entries)

    def _keep(self, entry: Entry) -> None:
        with self._lock:
            self._entries.appendleft(entry)
            self._bytes += entry.size
            while len(self._entries) > 1 and (len(self._entries) > KEPT or self._bytes > KEPT_BYTES):
                self._bytes -= self._entries.pop().size


def safe_path(path: str) -> str:
    """The path, shortened, still percent-encoded, long numbers hidden, printable ASCII only."""
    hidden = _LONG_NUMBER.sub("***", path[:LONGEST_PATH])
    return "".join(char if "!" <= char <= "~" else "?" for char in hidden)


def _without_secrets(request: Request, answer: Answer | None) -> tuple[Request, Answer | None]:
    """Without Authorization; of the token endpoint neither the assertion nor the token."""
    headers = {name: value for name, value in request.headers.items() if name not in NOT_KEPT}
    if request.raw_path != TOKEN_PATH:
        return replace(request, headers=headers), answer
    return replace(request, headers=headers, body=b""), answer and replace(answer, body=b"")


def _service(request: Request) -> str:
    try:
        value = decode_target(request.header(TARGET_HEADER)).value
    except Refused:
        return "-"
    return value if _SERVICE_ID.fullmatch(value) else "?"


def _summary(request: Request) -> str:
    """Event, reason and focus of a message, such as "booking-request new: Appointment booked"; else empty.

    It says what the message is, never whom it is about.
    """
    if not request.body or "process-message" not in request.raw_path:
        return ""
    try:
        message = Message(read_bundle(request))
    except NotFhir:
        return "not readable"
    words = f"{_word(message.event)} {_word(message.reason)}".strip() or "no message header"
    focus = message.focus
    return f"{words}: {_word(focus.get('resourceType'))} {_word(focus.get('status'))}".rstrip(" :")


def _word(value: object) -> str:
    """A code as it may be shown; anything else is left out."""
    text = value if isinstance(value, str) else ""
    return text if len(text) <= LONGEST_CODE and text.replace("-", "").isalpha() else ""
