"""Fault drills: what goes wrong for a service on purpose, each fault's effect, and the switch for them."""

import errno
import gzip
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

import orjson

from bars_portal.simulator.config import Sleep
from bars_portal.simulator.fhir import resources
from bars_portal.simulator.outcomes import ProxyError, error_answer
from bars_portal.simulator.tkw.tables import scenarios
from bars_portal.simulator.wire import ECHOED_IDS, FORM_MEDIA, JSON_MEDIA, Answer, Request, json_answer

SLOW_SECONDS = 6.0
# Longer than any sender waits (35 s).
HANG_SECONDS = 60.0
MOST_TIMES = 1000
MOST_SECONDS = 600.0


class Fault(StrEnum):
    """What can be made to go wrong."""

    SLOW = "slow"
    HANG = "hang"
    CUT = "cut"
    LOST_REPLY = "lost-reply"
    NO_IDS = "no-ids"
    BAD_IDS = "bad-ids"
    GARBAGE = "garbage"
    HALF_ANSWER = "half-answer"
    CUT_BODY = "cut-body"
    OTHER_TIME = "other-time"
    OTHER_BUNDLE = "other-bundle"
    NO_FOCUS = "no-focus"
    PENDING = "pending"
    DENIED = "denied"
    FAILED_AFTER = "500-after"
    UNAVAILABLE_AFTER = "503-after"
    UNAUTHORIZED = "401"
    FORBIDDEN = "403"
    TIMEOUT = "408"
    TOO_MANY = "429"
    SERVER_ERROR = "500"
    BAD_GATEWAY = "502"
    UNAVAILABLE = "503"
    GATEWAY_TIMEOUT = "504"
    EXPIRED_CERTIFICATE = "expired-certificate"
    WRONG_CERTIFICATE = "wrong-certificate"
    NO_CERTIFICATE = "no-certificate"


# Faults of the proxy's own client certificate towards the receiver.
CERTIFICATE_FAULTS = frozenset({Fault.EXPIRED_CERTIFICATE, Fault.WRONG_CERTIFICATE, Fault.NO_CERTIFICATE})
_SECONDS = {Fault.SLOW: SLOW_SECONDS, Fault.HANG: HANG_SECONDS}
# Forwards the request: with the drill's certificate where one is named.
Forward = Callable[[Fault | None], Answer]
Json = dict[str, Any]
HTML = (("Content-Type", "text/html"),)
_GZIP = b"\x1f\x8b"
RETRY_AFTER = ("Retry-After", "1")
# The service of drills for whoever asks for an access token.
TOKEN_SERVICE = "token"  # noqa: S105 - a name

_CANNED: dict[Fault, ProxyError] = {
    Fault.UNAUTHORIZED: ProxyError.BAD_TOKEN,
    Fault.FORBIDDEN: ProxyError.TLS_REFUSED,
    Fault.TIMEOUT: ProxyError.RECEIVER_TIMEOUT,
    Fault.TOO_MANY: ProxyError.TOO_MANY,
    Fault.SERVER_ERROR: ProxyError.RECEIVER_ERROR,
    Fault.UNAVAILABLE: ProxyError.RECEIVER_UNAVAILABLE,
}
# The receiver did its work, and something on the way back says that it did not.
_AFTERWARDS: dict[Fault, ProxyError] = {
    Fault.FAILED_AFTER: ProxyError.RECEIVER_ERROR,
    Fault.UNAVAILABLE_AFTER: ProxyError.RECEIVER_UNAVAILABLE,
}
# What stands in front of the proxy answers without an OperationOutcome.
_GATEWAY = {Fault.BAD_GATEWAY: 502, Fault.GATEWAY_TIMEOUT: 504}
PREFIX = "/simulator/"
METHODS = {
    "health": ("GET", "HEAD"),
    "faults": ("GET", "POST", "DELETE"),
    "reset": ("POST",),
    "stateful": ("GET",),
    "scenarios": ("GET",),
}
_HELP = (
    f"send service (an id, or {TOKEN_SERVICE}), fault (one of {', '.join(Fault)}), "
    f"times (1 to {MOST_TIMES}, default 1) and, if wanted, method (GET, POST ...) "
    f"and seconds (how long slow and hang last, at most {MOST_SECONDS:.0f})"
)


class ConnectionCut(ConnectionResetError):
    """Ends the connection without an answer: the server takes it for a broken socket and closes quietly.

    `scenario` names the drill, for the journal.
    """

    def __init__(self, scenario: str) -> None:
        super().__init__(errno.ECONNRESET, "connection cut by a fault drill")
        self.scenario = scenario


@dataclass(frozen=True)
class Drill:
    """The next `times` requests for a service (of that method only, if one is named) meet the fault.

    `seconds` is how long slow and hang last.
    """

    service: str
    fault: Fault
    times: int = 1
    method: str = ""
    seconds: float = 0.0

    @property
    def waits(self) -> float:
        """Seconds that this drill waits; 0 for faults that do not wait."""
        return (self.seconds or _SECONDS[self.fault]) if self.fault in _SECONDS else 0.0

    @property
    def scenario(self) -> str:
        """What the journal calls an exchange that met the fault."""
        return f"drill {self.fault}"


class FaultBoard:
    """The drills that are switched on. Thread-safe: a drill for one time hits exactly one request."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._drills: list[Drill] = []

    def arm(self, drill: Drill) -> None:
        """Switches a drill on, after those that are on already."""
        with self._lock:
            self._drills.append(drill)

    def armed(self) -> tuple[Drill, ...]:
        """What is switched on, `times` being what is left."""
        with self._lock:
            return tuple(self._drills)

    def clear(self, service: str | None = None) -> None:
        """Switches every drill off, or those of one service."""
        with self._lock:
            self._drills = [each for each in self._drills if service not in (None, each.service)]

    def take(self, *, service: str, method: str) -> Drill | None:
        """The drill that this request must meet, if any; counts it."""
        with self._lock:
            for place, drill in enumerate(self._drills):
                if drill.service == service and drill.method in {"", method}:
                    left = replace(drill, times=drill.times - 1)
                    self._drills[place : place + 1] = [left] if left.times else []
                    return drill
        return None


def meet(drill: Drill | None, request: Request, *, forward: Forward, sleep: Sleep) -> Answer:
    """Forwards the request with the drill's fault applied. Raises ConnectionCut where no answer must come."""
    if drill is None:
        return forward(None)
    fault = drill.fault
    if drill.waits:
        sleep(drill.waits)
    if fault in (Fault.HANG, Fault.CUT):
        raise ConnectionCut(drill.scenario)
    if fault in _GATEWAY:
        return Answer(_GATEWAY[fault], HTML, b"<html>gateway</html>", drill.scenario)
    if fault in _CANNED:
        return _canned(drill, request)
    answer = forward(fault if fault in CERTIFICATE_FAULTS else None)
    row = f", {answer.scenario}" if answer.scenario else ""
    answer = replace(answer, scenario=drill.scenario + row)
    if fault in _AFTERWARDS:
        return replace(error_answer(_AFTERWARDS[fault], request), scenario=answer.scenario)
    if fault is Fault.DENIED:
        return _denied(answer, request)
    return _spoiled(fault, answer)


def _canned(drill: Drill, request: Request) -> Answer:
    answer = error_answer(_CANNED[drill.fault], request)
    headers = (*answer.headers, RETRY_AFTER) if drill.fault is Fault.TOO_MANY else answer.headers
    return replace(answer, headers=headers, scenario=drill.scenario)


def _denied(answer: Answer, request: Request) -> Answer:
    """What was done is not told, and its repeat is refused in other words than "you have sent it before"."""
    if answer.status < 300:
        raise ConnectionCut(answer.scenario)
    return replace(error_answer(ProxyError.RECEIVER_REFUSES, request), scenario=answer.scenario)


def _spoiled(fault: Fault, answer: Answer) -> Answer:
    """The receiver has done its work; what may still go wrong is the way back."""
    match fault:
        case Fault.LOST_REPLY:
            raise ConnectionCut(answer.scenario)
        case Fault.NO_IDS:
            return replace(answer, headers=_without_ids(answer))
        case Fault.BAD_IDS:
            wrong = tuple((name, str(uuid.uuid4())) for name in ECHOED_IDS)
            return replace(answer, headers=(*_without_ids(answer), *wrong))
        case Fault.GARBAGE:
            return Answer(200, HTML, b"<html>\x00 not FHIR {", answer.scenario)
        case Fault.HALF_ANSWER:
            return replace(answer, body=answer.body[: len(answer.body) // 2])
        case Fault.CUT_BODY:
            return replace(answer, cut_after=len(answer.body) // 2)
        case _ if fault in _CHANGES:
            return replace(answer, body=_changed(answer.body, _CHANGES[fault]))
    return answer


def _an_hour_later(bundle: Json) -> None:
    for each in resources(bundle):
        if each.get("resourceType") == "Appointment":
            times = {name: datetime.fromisoformat(each[name]) for name in ("start", "end")}
            each |= {name: (moment + timedelta(hours=1)).isoformat() for name, moment in times.items()}


def _as_another(bundle: Json) -> None:
    bundle["id"] = str(uuid.uuid4())


def _without_focus(bundle: Json) -> None:
    for each in resources(bundle):
        if each.get("resourceType") == "MessageHeader":
            each.pop("focus", None)


def _pending(bundle: Json) -> None:
    """A status that no answer has there."""
    for each in resources(bundle):
        if each.get("resourceType") in ("Appointment", "ServiceRequest"):
            each["status"] = "pending"


_CHANGES: dict[Fault, Callable[[Json], None]] = {
    Fault.OTHER_TIME: _an_hour_later,
    Fault.OTHER_BUNDLE: _as_another,
    Fault.NO_FOCUS: _without_focus,
    Fault.PENDING: _pending,
}


def _changed(body: bytes, change: Callable[[Json], None]) -> bytes:
    """The Bundle of a JSON answer, changed; anything else as it is."""
    if body.startswith(_GZIP):
        return gzip.compress(_changed(gzip.decompress(body), change))
    try:
        bundle = orjson.loads(body)
        change(bundle)
    except (ValueError, KeyError, TypeError, AttributeError):
        return body
    return orjson.dumps(bundle)


def _without_ids(answer: Answer) -> tuple[tuple[str, str], ...]:
    unwanted = {name.lower() for name in ECHOED_IDS}
    return tuple(pair for pair in answer.headers if pair[0].lower() not in unwanted)


@dataclass(frozen=True)
class Drills:
    """Answers what lies under PREFIX, on loopback only; it is no part of BaRS.

    `possible` are the faults that can be played here.
    """

    faults: FaultBoard
    reset: Callable[[str | None], None]
    states: Callable[[], Mapping[str, str]]
    possible: frozenset[Fault]

    def answer(self, request: Request) -> Answer:
        """2xx or 303 when done, 400 with what is wrong, 404 for strangers and unknown paths, 405."""
        place, _, service = request.raw_path.removeprefix(PREFIX).partition("/")
        if not request.is_local or place not in METHODS or (service and place != "faults"):
            return json_answer(404, {"error": "not found"})
        if request.method not in METHODS[place]:
            return json_answer(405, {"error": "method not allowed"})
        match place, request.method:
            case "faults", "POST":
                return self._arm(request)
            case "faults", "DELETE":
                self.faults.clear(service or None)
                return Answer(204)
            case "faults", _:
                return json_answer(200, [asdict(drill) for drill in self.faults.armed()])
            case "reset", _:
                return self._reset_now(request)
            case "stateful", _:
                return json_answer(200, dict(self.states()))
            case "scenarios", _:
                return json_answer(200, [asdict(row) for row in scenarios()])
        return json_answer(200, {"status": "ok"})

    def _arm(self, request: Request) -> Answer:
        # A web page cannot send this content type to another origin without asking first.
        if request.media != JSON_MEDIA:
            return json_answer(415, {"error": f"send {JSON_MEDIA}"})
        try:
            drill = _drill(request.body)
        except ValueError:
            return json_answer(400, {"error": _HELP})
        if drill.fault not in self.possible:
            return json_answer(400, {"error": "start the simulator with --ca-key for this drill"})
        self.faults.arm(drill)
        return json_answer(201, asdict(drill))

    def _reset_now(self, request: Request) -> Answer:
        """JSON {"organisation": ODS code}, {} for everyone; the same as a form of our own page, then 303."""
        try:
            organisation = _organisation(request)
        except (ValueError, AttributeError):
            return json_answer(400, {"error": "send organisation (an ODS code), or nothing for everyone"})
        if organisation is None:
            return json_answer(415, {"error": f"send {JSON_MEDIA}"})
        self.reset(organisation.upper() or None)
        return Answer(303, (("Location", "/"),)) if request.media == FORM_MEDIA else Answer(204)


def _drill(body: bytes) -> Drill:
    """Raises ValueError."""
    loaded = orjson.loads(body)
    content = loaded if isinstance(loaded, dict) else {}
    service, times, method = content.get("service"), content.get("times", 1), content.get("method", "")
    seconds = content.get("seconds", 0)
    if not isinstance(service, str) or not service.isalnum() or not isinstance(method, str):
        raise ValueError("service or method")
    if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= MOST_TIMES:
        raise ValueError("times")
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 <= seconds <= MOST_SECONDS:
        raise ValueError("seconds")
    return Drill(service, Fault(str(content.get("fault"))), times, method.upper(), float(seconds))


def _organisation(request: Request) -> str | None:
    """The ODS code named, "" for everyone; None where another site may have sent it. Raises ValueError."""
    if request.media == JSON_MEDIA:
        content = orjson.loads(request.body or b"{}")
        named = str(content.get("organisation", ""))
    elif request.media == FORM_MEDIA and request.is_own_form:
        named = parse_qs(request.body.decode()).get("organisation", [""])[0]
    else:
        return None
    return named.strip()
