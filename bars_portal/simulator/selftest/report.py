"""What is left of a run: report.json, junit.xml and index.html. Test patients only; the files say so."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree as ET

from bars_portal.simulator.selftest.model import Done, Exchange, Json, Result, Verdict
from bars_portal.simulator.selftest.roles import ROLES
from bars_portal.simulator.web.pages import render

# A run as plain data: what report.json holds and the page shows.


# A slot search of two weeks is megabytes; what a person reads is its beginning.
LONGEST_BODY = 12_000
# Nothing secret is sent, but a target's gateway may want a token one day.
_SECRET = frozenset({"authorization", "cookie", "set-cookie", "proxy-authorization"})


def as_data(result: Result) -> Json:
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
    told = done.exchange
    return {
        "request": {
            "method": told.method,
            "url": told.url,
            "headers": _headers(told.headers),
            "body": _text(told.body),
        },
        "response": _response(told),
        "seconds": round(told.seconds, 3),
        "findings": list(done.findings),
    }


def _response(told: Exchange) -> Json:
    return {
        "status": told.status,
        "headers": _headers(told.answer_headers),
        "body": _text(told.answer_body),
    }


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: "(hidden)" if name in _SECRET else value for name, value in headers.items()}


def _text(body: bytes) -> str:
    text = body[:LONGEST_BODY].decode("utf-8", "replace")
    left = len(body) - LONGEST_BODY
    return text if left <= 0 else f"{text}\n(and {left} more bytes)"


# JUnit XML, as build servers read it: a suite for each group.


# XML 1.0 has no place for these, escaped or not.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(results: Sequence[Json]) -> bytes:
    """The document; each scenario is a test case, its rule and exchanges are in the failure's text."""
    root = ET.Element("testsuites", name="Booking and Referral Standard self-test")
    for group, cases in groupby(results, key=lambda each: each["group"]):
        listed = list(cases)
        suite = ET.SubElement(root, "testsuite", name=group, tests=str(len(listed)))
        for verdict, name in (("failed", "failures"), ("skipped", "skipped")):
            suite.set(name, str(sum(each["verdict"] == verdict for each in listed)))
        for each in listed:
            _case(suite, each)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _case(suite: ET.Element, told: Json) -> None:
    name, seconds = f"{told['id']} {told['name']}", str(told["seconds"])
    case = ET.SubElement(suite, "testcase", name=_clean(name), classname=told["group"], time=seconds)
    if told["verdict"] == "failed":
        failure = ET.SubElement(case, "failure", message=_clean("; ".join(told["findings"])))
        failure.text = _clean(_account(told))
    elif told["verdict"] == "skipped":
        ET.SubElement(case, "skipped", message=_clean("; ".join(told["findings"])))


def _account(told: Json) -> str:
    lines = [told["rule"]]
    for each in told["exchanges"]:
        sent, came = each["request"], each["response"]
        lines += [f"{sent['method']} {sent['url']}", sent["body"], f"Answer {came['status']}", came["body"]]
        lines += each["findings"]
    return "\n".join(lines)


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("?", text)


# The report's files. What they name of patients are test patients; they say so.


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
    data = [as_data(each) for each in report.results]
    whole = _whole(report, data)
    return {
        "index.html": render("report.html", report=whole),
        "report.json": json.dumps(whole, indent=1, ensure_ascii=False).encode(),
        "junit.xml": junit_xml(data),
    }


def write(report: Report, folder: Path) -> None:
    """Writes the files into the folder, which is made. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files(report).items():
        (folder / name).write_bytes(content)


def _whole(report: Report, data: list[Json]) -> Json:
    return {
        "note": NOTE,
        "target": report.target,
        "service": report.service,
        "started": report.started.isoformat(timespec="seconds"),
        "counts": report.counts,
        "scenarios": data,
    }
