"""What goes wrong in a run: each by name, with a sentence; it strikes while messages are on their way."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from tests.stack import Stack

# Requests that a drill of the simulator makes slow enough to be caught in the middle.
_CAUGHT_SECONDS = 3.0


@dataclass(frozen=True)
class Run:
    """The stack, and the partners of whom `struck` are those with a fault of their own."""

    stack: Stack
    partners: list[str]
    struck: list[str]

    def drill(self, fault: str, *, times: int, seconds: float = 0.0) -> None:
        """At each struck partner; the receiver may have done its work or not, as the fault says."""
        with httpx.Client(trust_env=False, timeout=30) as http:
            for service in self.struck:
                asked = {
                    "service": service,
                    "fault": fault,
                    "times": times,
                    "method": "POST",
                    "seconds": seconds,
                }
                http.post(f"{self.stack.simulator}/simulator/faults", json=asked).raise_for_status()


@dataclass(frozen=True)
class Fault:
    """`prepare` before the first message is written, `strike` beside those that are written after that."""

    sentence: str
    prepare: Callable[[Run], None] = lambda run: None
    strike: Callable[[Run], None] = lambda run: None
    # How many partners have it; the others must not notice.
    partners: int = 1


def _kill(word: str) -> Callable[[Run], None]:
    """kill -9 of a program with all that it started; the launcher starts it again."""

    def strike(run: Run) -> None:
        for _ in range(3):
            time.sleep(2)
            victims = [pid for pid, line in run.stack.launcher.children().items() if word in line]
            assert victims, f"no {word} is running"
            for pid in victims:
                os.killpg(pid, signal.SIGKILL)

    return strike


def _drill(fault: str, *, times: int = 50, seconds: float = 0.0) -> Callable[[Run], None]:
    return lambda run: run.drill(fault, times=times, seconds=seconds)


def _calm_after(seconds: float) -> Callable[[Run], None]:
    def strike(run: Run) -> None:
        time.sleep(seconds)
        with httpx.Client(trust_env=False, timeout=30) as http:
            http.delete(f"{run.stack.simulator}/simulator/faults").raise_for_status()

    return strike


FAULTS: dict[str, Fault] = {
    "kill-worker": Fault(
        "kill -9 of the worker, three times, with answers under way",
        prepare=_drill("slow", times=8, seconds=_CAUGHT_SECONDS),
        strike=_kill("celery"),
        partners=10,
    ),
    "kill-receiver": Fault(
        "kill -9 of the receiver, three times, with messages under way",
        prepare=_drill("slow", times=8, seconds=_CAUGHT_SECONDS),
        strike=_kill("receiver.server"),
        partners=10,
    ),
    "hanging-partner": Fault(
        "one partner of ten hangs, 35 s each time, until a minute is over",
        prepare=_drill("hang", times=20, seconds=35.0),
        strike=_calm_after(60.0),
    ),
    "lost-replies": Fault(
        "the receiver has done it and its answer is lost, 50 times", prepare=_drill("lost-reply")
    ),
    "garbage": Fault("an answer that is no answer, 50 times", prepare=_drill("garbage")),
    "half-answers": Fault("half an answer, 50 times", prepare=_drill("half-answer")),
    "wrong-ids": Fault("an answer with other ids, 50 times", prepare=_drill("bad-ids")),
    "unavailable": Fault("503, 50 times", prepare=_drill("503")),
}
