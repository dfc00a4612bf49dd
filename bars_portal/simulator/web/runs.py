"""Self-test runs that were started from the page: one at a time, in a thread, the last few kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from threading import Lock, Thread

from bars_portal.simulator.selftest.connections import Connections, Target, TargetError
from bars_portal.simulator.selftest.model import Result, Scenario, Verdict
from bars_portal.simulator.selftest.report import Report
from bars_portal.simulator.selftest.running import NotOffered, Runner, Settings

KEPT = 5
JOBS = 2


@dataclass
class Run:
    """A run while it goes on and afterwards. `problem` says why it could not be run."""

    number: int
    target: Target
    settings: Settings
    scenarios: Sequence[Scenario]
    results: list[Result] = field(default_factory=list)
    problem: str = ""
    finished: bool = False

    @property
    def report(self) -> Report:
        """What is known so far."""
        return Report(self.target.url, self.settings.service, self.settings.now, tuple(self.results))

    @property
    def failed(self) -> list[Result]:
        """What failed so far."""
        return [each for each in list(self.results) if each.verdict is Verdict.FAILED]


class Runs:
    """Starts runs and remembers them. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._numbers = count(1)
        self._runs: dict[int, Run] = {}

    def start(self, target: Target, settings: Settings, scenarios: Sequence[Scenario]) -> Run:
        """The new run; the one that is under way when there is one. Raises TargetError."""
        connections = Connections(target)
        with self._lock:
            going = next((each for each in self._runs.values() if not each.finished), None)
            if going is not None:
                connections.close()
                return going
            run = Run(next(self._numbers), target, settings, scenarios)
            self._runs[run.number] = run
            for old in sorted(self._runs)[:-KEPT]:
                del self._runs[old]
        Thread(target=_carry_out, args=(run, connections), daemon=True).start()
        return run

    def find(self, number: int) -> Run | None:
        """A run by its number; None when it is forgotten."""
        return self._runs.get(number)

    def all(self) -> list[Run]:
        """Newest first."""
        return [self._runs[number] for number in sorted(self._runs, reverse=True)]


def settings_for(service: str, sender: str, now: datetime) -> Settings:
    """As the page runs them."""
    return Settings(service, sender, now.replace(microsecond=0), jobs=JOBS)


def _carry_out(run: Run, connections: Connections) -> None:
    try:
        runner = Runner(connections, run.settings)
        for result in runner.run(run.scenarios, runner.offer()):
            run.results.append(result)
    except (NotOffered, TargetError, OSError) as problem:
        run.problem = str(problem)
    finally:
        run.finished = True
        connections.close()
