"""What a request meets when a drill is on: each fault's effect, in one place."""

import uuid
from collections.abc import Callable
from dataclasses import replace

from bars_portal.simulator.config import Sleep
from bars_portal.simulator.faults import CERTIFICATE_FAULTS, ConnectionCut, Drill, Fault
from bars_portal.simulator.outcomes import ProxyError, error_answer
from bars_portal.simulator.wire import ECHOED_IDS, Answer, Request

# Forwards the request: with the drill's certificate where one is named.
Forward = Callable[[Fault | None], Answer]
HTML = (("Content-Type", "text/html"),)
RETRY_AFTER = ("Retry-After", "1")

_CANNED: dict[Fault, ProxyError] = {
    Fault.UNAUTHORIZED: ProxyError.BAD_TOKEN,
    Fault.FORBIDDEN: ProxyError.TLS_REFUSED,
    Fault.TIMEOUT: ProxyError.RECEIVER_TIMEOUT,
    Fault.TOO_MANY: ProxyError.TOO_MANY,
    Fault.SERVER_ERROR: ProxyError.RECEIVER_ERROR,
    Fault.UNAVAILABLE: ProxyError.RECEIVER_UNAVAILABLE,
}
# What stands in front of the proxy answers without an OperationOutcome.
_GATEWAY = {Fault.BAD_GATEWAY: 502, Fault.GATEWAY_TIMEOUT: 504}


def meet(drill: Drill | None, *, request: Request, forward: Forward, sleep: Sleep) -> Answer:
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
    return _spoiled(fault, replace(answer, scenario=drill.scenario + row))


def _canned(drill: Drill, request: Request) -> Answer:
    answer = error_answer(_CANNED[drill.fault], request)
    headers = (*answer.headers, RETRY_AFTER) if drill.fault is Fault.TOO_MANY else answer.headers
    return replace(answer, headers=headers, scenario=drill.scenario)


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
    return answer


def _without_ids(answer: Answer) -> tuple[tuple[str, str], ...]:
    unwanted = {name.lower() for name in ECHOED_IDS}
    return tuple(pair for pair in answer.headers if pair[0].lower() not in unwanted)
