"""`python -m bars_portal.simulator selftest`: options, progress, summary, exit code; what is left of a run.

That is report.json, junit.xml and index.html. Test patients only; the files say so.
"""

import json
import re
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from itertools import groupby
from pathlib import Path

from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bars_portal.simulator.selftest.connections import Connections, Target, TargetError
from bars_portal.simulator.selftest.model import Done, Json, Result, Scenario, Verdict
from bars_portal.simulator.selftest.running import NotOffered, Runner, Settings
from bars_portal.simulator.selftest.scenarios import (
    ROLES,
    BadScenario,
    UnknownScenario,
    read_scenarios,
    select,
)
from bars_portal.simulator.web.pages import render

# A slot search of two weeks is megabytes; what a person reads is its beginning.
LONGEST_BODY = 12_000
# Nothing secret is sent, but a target's gateway may want a token one day.
_SECRET = frozenset({"authorization", "cookie", "set-cookie", "proxy-authorization"})
# XML 1.0 has no place for these, escaped or not.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
NOTE = "Every patient in this report is a published test patient or made up: test data only."


@dataclass(frozen=True)
class Report:
    """What was run, against what, when, and what came of it."""

    target: str
    service: str
    started: datetime
    results: Sequence[Result]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many scenarios there are of each verdict."""
        found = Counter(each.verdict for each in self.results)
        return {str(verdict): found[verdict] for verdict in Verdict}


def files(report: Report) -> dict[str, bytes]:
    """Name and content of every file of the report."""
    data = [_as_data(each) for each in report.results]
    whole = {
        "note": NOTE,
        "target": report.target,
        "service": report.service,
        "started": report.started.isoformat(timespec="seconds"),
        "counts": report.counts,
        "scenarios": data,
    }
    return {
        "index.html": render("report.html", report=whole),
        "report.json": json.dumps(whole, indent=1, ensure_ascii=False).encode(),
        "junit.xml": _junit_xml(data),
    }


def write(report: Report, folder: Path) -> None:
    """Writes the files into the folder, which is made. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files(report).items():
        (folder / name).write_bytes(content)


def _as_data(result: Result) -> Json:
    """One scenario with its rule, verdict, findings, requests and answers."""
    scenario = result.scenario
    return {
        "id": scenario.id,
        "name": scenario.name,
        "group": scenario.group,
        "rule": f"Booking and Referral Standard, section {scenario.section}",
        "role": ROLES[scenario.role].words,
        "verdict": str(result.verdict),
        "findings": list(result.findings),
        "seconds": result.seconds,
        "exchanges": [_exchange(each) for each in result.done],
    }


def _exchange(done: Done) -> Json:
    exchange = done.exchange
    return {
        "request": {
            "method": exchange.method,
            "url": exchange.url,
            "headers": _headers(exchange.headers),
            "body": _text(exchange.body),
        },
        "response": {
            "status": exchange.status,
            "headers": _headers(exchange.answer_headers),
            "body": _text(exchange.answer_body),
        },
        "seconds": round(exchange.seconds, 3),
        "findings": list(done.findings),
    }


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: "(hidden)" if name in _SECRET else value for name, value in headers.items()}


def _text(body: bytes) -> str:
    text = body[:LONGEST_BODY].decode("utf-8", "replace")
    left = len(body) - LONGEST_BODY
    return text if left <= 0 else f"{text}\n(and {left} more bytes)"


def _junit_xml(results: Sequence[Json]) -> bytes:
    """A suite for each group; each scenario is a case, its rule and exchanges are in the failure's text."""
    document = JUnitXml("Booking and Referral Standard self-test")
    for group, cases in groupby(results, key=lambda each: each["group"]):
        suite = TestSuite(group)
        suite.add_testcases([_case(each) for each in cases])
        document.add_testsuite(suite)
    document.update_statistics()
    written = BytesIO()
    document.write(written)
    return written.getvalue()


def _case(scenario: Json) -> TestCase:
    case = TestCase(_clean(f"{scenario['id']} {scenario['name']}"), scenario["group"], scenario["seconds"])
    message = _clean("; ".join(scenario["findings"]))
    if scenario["verdict"] == Verdict.FAILED:
        failure = Failure(message)
        failure.text = _clean(_account(scenario))
        case.result = [failure]
    elif scenario["verdict"] == Verdict.SKIPPED:
        case.result = [Skipped(message)]
    return case


def _account(scenario: Json) -> str:
    lines = [scenario["rule"]]
    for each in scenario["exchanges"]:
        sent, came = each["request"], each["response"]
        lines += [f"{sent['method']} {sent['url']}", sent["body"], f"Answer {came['status']}", came["body"]]
        lines += each["findings"]
    return "\n".join(lines)


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("?", text)


DESCRIPTION = "Acts for a sender against a receiver: every scenario of the standard, judged and reported."
SENDER = "2000088001"
PASSED, FAILED, NOT_RUN = 0, 1, 2


def main(arguments: Sequence[str]) -> int:
    """Runs what is asked for; the exit code."""
    options = _arguments(arguments)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    try:
        scenarios = select(
            read_scenarios(options.scenarios),
            options.scenario,
            answers_theirs=bool(options.sent_request),
            asks_closed=bool(options.closed_slot),
        )
        if options.list:
            return _list(scenarios, console)
        report = _run(options, scenarios, console)
        if options.report:
            write(report, options.report)
            console.print(f"Report: {options.report / 'index.html'} (test data only)")
    except (BadScenario, UnknownScenario, TargetError, NotOffered, OSError) as problem:
        console.print(f"The self-test could not be run: {problem}")
        return NOT_RUN
    return _summed_up(report, console)


def _arguments(arguments: Sequence[str]) -> Namespace:
    """The options; ends the program with exit code 2 and a message when they are wrong."""
    parser = ArgumentParser(prog="python -m bars_portal.simulator selftest", description=DESCRIPTION)
    parser.add_argument("--target", metavar="URL", help="base URL of the receiver, https://.../FHIR/R4")
    parser.add_argument("--service", metavar="ID", help="DoS service id under test")
    for name, text in (
        ("cert", "client certificate to show (PEM)"),
        ("key", "its private key (PEM)"),
        ("ca", "certificates that the receiver is trusted by (PEM)"),
        ("wrong-name-cert", "a certificate of the right chain with a name that must be refused"),
        ("wrong-name-key", "its private key"),
    ):
        parser.add_argument(f"--{name}", type=Path, metavar="FILE", help=text)
    option = parser.add_argument
    there = "where to connect, when the name in the URL is in no DNS"
    option("--address", default="", metavar="IP", help=there)
    only = "only this scenario or group; repeatable"
    option("--scenario", action="append", default=[], metavar="ID", help=only)
    own = "a scenario file of your own, instead of ours"
    option("--scenarios", action="append", type=Path, metavar="FILE", help=own)
    sent = "a validation request that the tested organisation sent: it is started and completed"
    option("--sent-request", default="", metavar="BUNDLE_ID", help=sent)
    closed = "a slot that the service holds and does not offer: it must not be booked"
    option("--closed-slot", default="", metavar="ID|START|END", help=closed)
    option("--sender", default=SENDER, metavar="ID", help="service id that messages come from")
    option("--report", type=Path, metavar="DIR", help="folder for index.html, report.json, junit.xml")
    jobs = "scenarios under way at once, default 4"
    option("--jobs", type=int, choices=range(1, 17), default=4, metavar="N", help=jobs)
    parser.add_argument("--list", action="store_true", help="list the scenarios and do nothing")
    options = parser.parse_args(arguments)
    if not options.list and not (options.target and options.service):
        parser.error("--target and --service are needed")
    return options


def _target(options: Namespace) -> Target:
    """The receiver and the certificates for it."""
    wrong = (options.wrong_name_cert, options.wrong_name_key)
    url = options.target.rstrip("/")
    return Target(url, options.ca, options.cert, options.key, wrong if all(wrong) else None, options.address)


def _run(options: Namespace, scenarios: Sequence[Scenario], console: Console) -> Report:
    started = datetime.now(UTC).replace(microsecond=0)
    connections = Connections(_target(options))
    try:
        runner = Runner(
            connections,
            Settings(
                options.service,
                options.sender,
                started,
                options.sent_request,
                options.closed_slot,
                jobs=options.jobs,
            ),
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
    return Report(options.target, options.service, started, results)


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
    skipped = (each.reason for each in report.results if each.verdict is Verdict.SKIPPED)
    for reason, number in Counter(skipped).items():
        console.print(f"  skipped {number}: {reason}")
    if not counts["passed"] and not counts["failed"]:
        return NOT_RUN
    return FAILED if counts["failed"] else PASSED


def _list(scenarios: Sequence[Scenario], console: Console) -> int:
    for each in scenarios:
        console.print(f"{each.id:24} {each.name}")
    console.print(f"{len(scenarios)} scenarios")
    return PASSED
