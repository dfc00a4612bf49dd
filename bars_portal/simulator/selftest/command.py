"""`python -m bars_portal.simulator selftest`: progress, summary, exit code.

0: nothing failed. 1: at least one scenario failed. 2: it could not be run.
"""

from argparse import Namespace
from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bars_portal.simulator.selftest.arguments import read_arguments, target_of
from bars_portal.simulator.selftest.connections import Connections, TargetError
from bars_portal.simulator.selftest.model import Result, Scenario, Verdict
from bars_portal.simulator.selftest.reading import BadScenario, read_scenarios
from bars_portal.simulator.selftest.report import Report, write
from bars_portal.simulator.selftest.running import NotOffered, Runner, Settings
from bars_portal.simulator.selftest.selecting import UnknownScenario, select

PASSED, FAILED, NOT_RUN = 0, 1, 2


def main(arguments: Sequence[str]) -> int:
    """Runs what is asked for; the exit code."""
    given = read_arguments(arguments)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    try:
        scenarios = select(
            read_scenarios(given.scenarios), given.scenario, answers_theirs=bool(given.sent_request)
        )
        if given.list:
            return _list(scenarios, console)
        report = _run(given, scenarios, console)
        if given.report:
            write(report, given.report)
            console.print(f"Report: {given.report / 'index.html'} (test data only)")
    except (BadScenario, UnknownScenario, TargetError, NotOffered, OSError) as problem:
        console.print(f"The self-test could not be run: {problem}")
        return NOT_RUN
    return _summed_up(report, console)


def _run(given: Namespace, scenarios: Sequence[Scenario], console: Console) -> Report:
    started = datetime.now(UTC).replace(microsecond=0)
    connections = Connections(target_of(given))
    try:
        runner = Runner(
            connections, Settings(given.service, given.sender, started, given.sent_request, jobs=given.jobs)
        )
        offer = runner.offer()
        results = []
        with _progress(console) as progress:
            task = progress.add_task("Scenarios", total=len(scenarios))
            for result in runner.run(scenarios, offer):
                results.append(result)
                _tell(result, progress)
                progress.advance(task)
    finally:
        connections.close()
    return Report(given.target, given.service, started, results)


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)


def _tell(result: Result, progress: Progress) -> None:
    if result.verdict is Verdict.FAILED:
        progress.print(f"FAILED {result.scenario.id} {result.scenario.name}")
        for finding in result.findings:
            progress.print(f"       {finding}")


def _summed_up(report: Report, console: Console) -> int:
    counts = report.counts
    console.print(
        f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped "
        f"(service {report.service} at {report.target})"
    )
    for reason, number in _reasons(report).items():
        console.print(f"  skipped {number}: {reason}")
    if not counts["passed"] and not counts["failed"]:
        return NOT_RUN
    return FAILED if counts["failed"] else PASSED


def _reasons(report: Report) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in report.results:
        if each.verdict is Verdict.SKIPPED:
            found[each.reason] = found.get(each.reason, 0) + 1
    return found


def _list(scenarios: Sequence[Scenario], console: Console) -> int:
    for each in scenarios:
        console.print(f"{each.id:24} {each.name}")
    console.print(f"{len(scenarios)} scenarios")
    return PASSED
