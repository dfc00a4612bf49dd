"""The pages of the self-test: choose, start, watch, download."""

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from urllib.parse import urlsplit

from bars_portal.simulator.catalogue import Catalogue
from bars_portal.simulator.config import Clock, Config
from bars_portal.simulator.selftest.model import Scenario
from bars_portal.simulator.selftest.reading import read_scenarios
from bars_portal.simulator.selftest.report import files
from bars_portal.simulator.selftest.selecting import select
from bars_portal.simulator.web.asking import download, form_of, is_own_form, page, query_of, see
from bars_portal.simulator.web.bundling import zipped
from bars_portal.simulator.web.forms import SelftestForm
from bars_portal.simulator.web.rendering import render
from bars_portal.simulator.web.runs import Run, Runs, settings_for
from bars_portal.simulator.wire import Answer, Request

PATH = "/selftest"
WATCH_SECONDS = 3
_RUN = re.compile(r"/selftest/(\d{1,9})(\.zip)?")


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
        if not is_own_form(request):
            return page(render("refused.html"), 403)
        form = SelftestForm.read(form_of(request))
        faults = form.faults(self._scenarios)
        if faults:
            return self._show_form(form, faults)
        settings = settings_for(form.service, form.sender, self._clock())
        run = self._runs.start(form.receiver, settings, form.chosen(self._scenarios))
        return see(f"{PATH}/{run.number}")

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
        watched = bool(query_of(request, "watch")) and not run.finished
        answer = page(render("run.html", run=run, report=run.report, watched=watched, every=WATCH_SECONDS))
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
