"""The pages of the self-test: choose, start, watch, download."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from threading import Lock, Thread
from urllib.parse import urlsplit

from bars_portal.simulator.catalogue.resources import Catalogue
from bars_portal.simulator.config import Clock, Config
from bars_portal.simulator.selftest.command import SENDER, Report, files
from bars_portal.simulator.selftest.connections import Connections, Target, TargetError, require_usable
from bars_portal.simulator.selftest.model import Result, Scenario, Verdict
from bars_portal.simulator.selftest.running import NotOffered, Runner, Settings
from bars_portal.simulator.selftest.scenarios import UnknownScenario, read_scenarios, select
from bars_portal.simulator.web.pages import (
    download,
    form_of,
    page,
    query_of,
    render,
    zipped,
)
from bars_portal.simulator.wire import Answer, Request

PATH = "/selftest"
WATCH_SECONDS = 3
_RUN = re.compile(r"/selftest/(\d{1,9})(\.zip)?")
KEPT = 5
JOBS = 2
_SERVICE = re.compile(r"\d{1,20}")
_FILES = ("ca", "cert", "key")


@dataclass(frozen=True)
class SelftestForm:
    """The fields as they were sent; `groups` and `scenarios` choose, none of them means all."""

    target: str
    service: str
    ca: str
    cert: str
    key: str
    groups: tuple[str, ...] = ()
    scenarios: str = ""
    sender: str = SENDER

    @classmethod
    def empty(cls, config: Config, *, target: str, service: str) -> "SelftestForm":
        """What the page suggests: the proxy's certificate, and a receiver that is known."""
        files = (str(config.ca_file), str(config.client_cert_file), str(config.client_key_file))
        return cls(target, service, *files)

    @classmethod
    def read(cls, fields: Mapping[str, Sequence[str]]) -> "SelftestForm":
        """From a posted form."""
        texts = {
            name: fields.get(name, [""])[0].strip() for name in ("target", "service", *_FILES, "scenarios")
        }
        return cls(**texts, groups=tuple(fields.get("group", ())))

    @property
    def receiver(self) -> Target:
        """The receiver and the certificates for it."""
        ca, cert, key = (Path(text) if text else None for text in (self.ca, self.cert, self.key))
        return Target(self.target.rstrip("/"), ca, cert, key)

    def chosen(self, scenarios: Sequence[Scenario]) -> tuple[Scenario, ...]:
        """The scenarios that are meant. Raises UnknownScenario."""
        return select(scenarios, [*self.groups, *self.scenarios.replace(",", " ").split()])

    def faults(self, scenarios: Sequence[Scenario]) -> dict[str, str]:
        """What is wrong, by field."""
        found = {}
        try:
            require_usable(self.receiver)
        except TargetError as problem:
            found["target"] = f"Receiver: {problem}"
        if not _SERVICE.fullmatch(self.service):
            found["service"] = "Service: enter a DoS service id, digits only"
        for name in _FILES:
            if getattr(self, name) and not Path(getattr(self, name)).is_file():
                found[name] = f"There is no such file: {getattr(self, name)}"
        try:
            self.chosen(scenarios)
        except UnknownScenario as problem:
            found["scenarios"] = str(problem)
        return found


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


class SelftestPages:
    """Acting for a sender, from the page."""

    def __init__(self, config: Config, *, catalogue: Catalogue, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._catalogue = catalogue
        self._runs = Runs()

    def find(self, path: str) -> Callable[[Request], Answer] | None:
        """What answers at the path; None when it is not ours."""
        if path == PATH:
            return self._form
        match = _RUN.fullmatch(path)
        return (self._report if match[2] else self._run) if match else None

    @cached_property
    def _scenarios(self) -> tuple[Scenario, ...]:
        return select(read_scenarios(), [])

    def _form(self, request: Request) -> Answer:
        if request.method == "POST":
            return self._start(request)
        target, service = _suggestion(self._catalogue)
        return self._show_form(SelftestForm.empty(self._config, target=target, service=service), {})

    def _start(self, request: Request) -> Answer:
        if not request.is_own_form:
            return page(render("refused.html"), 403)
        form = SelftestForm.read(form_of(request))
        faults = form.faults(self._scenarios)
        if faults:
            return self._show_form(form, faults)
        settings = Settings(form.service, form.sender, self._clock().replace(microsecond=0), jobs=JOBS)
        run = self._runs.start(form.receiver, settings, form.chosen(self._scenarios))
        return Answer(303, (("Location", f"{PATH}/{run.number}"),))

    def _show_form(self, form: SelftestForm, faults: dict[str, str]) -> Answer:
        shown = render(
            "selftest.html",
            form=form,
            faults=faults,
            groups=_groups(self._scenarios),
            count=len(self._scenarios),
            runs=self._runs.all(),
        )
        return page(shown, 400 if faults else 200)

    def _run(self, request: Request) -> Answer:
        run = self._asked(request)
        if run is None:
            return page(render("missing.html"), 404)
        # Asked once: it may end while the page is made.
        finished = run.finished
        watched = bool(query_of(request, "watch")) and not finished
        shown = {"report": run.report, "finished": finished, "watched": watched, "every": WATCH_SECONDS}
        answer = page(render("run.html", run=run, **shown))
        # Only for who chose so: a page that changes by itself is no help to everyone.
        again = (("Refresh", str(WATCH_SECONDS)),) if watched else ()
        return Answer(answer.status, (*answer.headers, *again), answer.body)

    def _report(self, request: Request) -> Answer:
        run = self._asked(request)
        if run is None or not run.finished:
            return page(render("missing.html"), 404)
        return download(f"bars-selftest-{run.number}.zip", zipped(files(run.report)))

    def _asked(self, request: Request) -> Run | None:
        match = _RUN.fullmatch(request.raw_path)
        return self._runs.find(int(match[1])) if match else None


def _groups(scenarios: Sequence[Scenario]) -> list[tuple[str, str, int]]:
    """Id, title and number of scenarios of each group."""
    named: dict[str, int] = {}
    for each in scenarios:
        named[each.group] = named.get(each.group, 0) + 1
    return [(*group.split(" ", 1), number) for group, number in named.items()]  # type: ignore[misc]  # two parts


def _suggestion(catalogue: Catalogue) -> tuple[str, str]:
    """The last receiver of the catalogue that is behind TLS, with its service: in the demo, the hub."""
    known = [(url, value) for value, url in catalogue.routes() if urlsplit(url).scheme == "https"]
    return max(known, key=lambda each: each[1], default=("", ""))
