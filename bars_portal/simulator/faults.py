"""Fault drills: what goes wrong for a service on purpose, the next few times. For tests and engineers."""

import errno
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Lock

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
