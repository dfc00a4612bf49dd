"""The receiver while it is shot at: the same workers, how much memory they hold, what they log."""

from dataclasses import dataclass
from threading import Event

from tests.fuzz.judging import breaches
from tests.fuzz.report import Report
from tests.fuzz.shots import Shot, head
from tests.fuzz.target import Target, resident
from tests.fuzz.wire import fire
from tests.live.partner import bars_headers

_EVERY_SECONDS = 1.0
_ALARMS = ("Traceback", "WORKER TIMEOUT", "was sent SIG", "MemoryError")


@dataclass(frozen=True)
class Before:
    """What is compared with at the end: taken before the first shot."""

    workers: frozenset[int]
    logged: int

    @classmethod
    def of(cls, target: Target) -> "Before":
        return cls(target.workers(), len(target.logged()))


def watch(target: Target, report: Report, before: Before, over: Event) -> None:
    """Sample until `over`, then judge; runs in a thread of its own."""
    if not before.workers:
        report.blame("no worker was found")
    while not over.wait(_EVERY_SECONDS):
        for pid in before.workers:
            report.sample(pid, resident(pid))
    if target.workers() != before.workers:
        report.blame("a worker ended or was started anew")
    report.judge_memory()
    for alarm in _ALARMS:
        if alarm in target.logged()[before.logged :]:
            report.blame(f"the log says {alarm}")


def still_answers(target: Target, report: Report) -> None:
    headers = {"Host": "localhost", "Connection": "close"} | bars_headers("2000099999")
    shot = Shot("still-alive", head("GET", "/FHIR/R4/metadata", headers))
    answer = fire(target, shot)
    if breaches(shot, answer) or answer is None or answer.status != 200:
        report.blame("/metadata is no longer answered")
