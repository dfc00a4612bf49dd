"""What is left of a run: report.json, junit.xml and index.html. Test patients only; the files say so."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from itertools import groupby
from pathlib import Path

from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

from bars_portal.simulator.selftest.model import Done, Json, Result, Verdict
from bars_portal.simulator.selftest.roles import ROLES
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
