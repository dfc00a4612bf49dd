"""Fault drills: what goes wrong for a service on purpose, the next few times. For tests and engineers."""

import errno
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Lock

from bars_portal.simulator.config import Sleep
from bars_portal.simulator.outcomes import ProxyError, error_answer
from bars_portal.simulator.wire import ECHOED_IDS, Answer, Request

SLOW_SECONDS = 6.0
# Longer than any sender waits (35 s).
HANG_SECONDS = 60.0
MOST_TIMES = 1000


class Fault(StrEnum):
    """What can be made to go wrong."""

    SLOW = "slow"
    HANG = "hang"
    CUT = "cut"
    SERVER_ERROR = "500"
    UNAVAILABLE = "503"
    TIMEOUT = "408"
    NO_IDS = "no-ids"
    GARBAGE = "garbage"
    LOST_REPLY = "lost-reply"


class ConnectionCut(ConnectionResetError):
    """Ends the connection without an answer: the server takes it for a broken socket and closes quietly.

    `scenario` names the drill, for the journal.
    """

    def __init__(self, scenario: str) -> None:
        super().__init__(errno.ECONNRESET, "connection cut by a fault drill")
        self.scenario = scenario


@dataclass
class _Drill:
    service: str
    fault: Fault
    times: int
    method: str


class FaultBoard:
    """The drills that are switched on. Thread-safe: a drill for one time hits exactly one request."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._drills: list[_Drill] = []

    def arm(self, *, service: str, fault: Fault, times: int = 1, method: str = "") -> None:
        """The next `times` requests for the service (of that method only, if one is named) meet the fault."""
        with self._lock:
            self._drills.append(_Drill(service, fault, times, method))

    def clear(self) -> None:
        """Switches every drill off."""
        with self._lock:
            self._drills.clear()

    def take(self, *, service: str, method: str) -> Fault | None:
        """The fault that this request must meet, if any; counts it."""
        with self._lock:
            for drill in self._drills:
                if drill.service == service and drill.method in {"", method}:
                    drill.times -= 1
                    self._drills = [each for each in self._drills if each.times > 0]
                    return drill.fault
        return None


Forward = Callable[[], Answer]


def meet(fault: Fault | None, *, request: Request, forward: Forward, sleep: Sleep) -> Answer:
    """Forwards the request with the fault applied. Raises ConnectionCut where the connection must end."""
    if fault is None:
        return forward()
    if fault in _CANNED:
        return replace(error_answer(_CANNED[fault], request), scenario=scenario_of(fault))
    if fault in (Fault.HANG, Fault.CUT):
        sleep(HANG_SECONDS if fault is Fault.HANG else 0)
        raise ConnectionCut(scenario_of(fault))
    if fault is Fault.SLOW:
        sleep(SLOW_SECONDS)
    answer = forward()
    return _spoiled(fault, replace(answer, scenario=scenario_of(fault, answer)))


def scenario_of(fault: Fault, answer: Answer | None = None) -> str:
    """What the journal calls an exchange that met the fault."""
    row = f", {answer.scenario}" if answer and answer.scenario else ""
    return f"drill {fault}{row}"


_CANNED: dict[Fault, ProxyError] = {
    Fault.SERVER_ERROR: ProxyError.RECEIVER_ERROR,
    Fault.UNAVAILABLE: ProxyError.RECEIVER_UNAVAILABLE,
    Fault.TIMEOUT: ProxyError.RECEIVER_TIMEOUT,
}


def _spoiled(fault: Fault, answer: Answer) -> Answer:
    """The receiver has done its work; what may still go wrong is the way back."""
    if fault is Fault.LOST_REPLY:
        raise ConnectionCut(answer.scenario)
    if fault is Fault.NO_IDS:
        unwanted = {name.lower() for name in ECHOED_IDS}
        kept = tuple(pair for pair in answer.headers if pair[0].lower() not in unwanted)
        return replace(answer, headers=kept)
    if fault is Fault.GARBAGE:
        garbage = (("Content-Type", "text/html"),), b"<html>\x00 not FHIR {"
        return Answer(200, *garbage, scenario=answer.scenario)
    return answer
