"""One row after the other: what came of it, held against what its row says, and the report of a run."""

import html
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from string import Template
from typing import Any

from junitparser import Failure, JUnitXml, TestCase, TestSuite

from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.sender_drill.acts import ACTS, Act
from bars_portal.sender_drill.desk import Desk, Display, DrillError, Row

TITLE = "Sender drill"
_STYLE = (
    "body{font:1rem/1.5 Arial,sans-serif;color:#212b32;margin:1.5rem}table{border-collapse:collapse}"
    "th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid #d8dde0}"
    ".failed{color:#d5281b;font-weight:bold}"
)
_PAGE = Template(
    '<!doctype html>\n<html lang="en-GB"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>$title</title>'
    "<style>$style</style></head><body><h1>$title</h1><p>$summary</p>\n<table>"
    "<caption>What a clinician is told</caption><thead><tr>$head</tr></thead>\n<tbody>$rows</tbody></table>"
    "</body></html>\n"
)
_COLUMNS = ("Verdict", "Scenario", "Act", "State", "Told", "Findings")


@dataclass(frozen=True)
class Result:
    """`display` is what came; `error` why there is nothing to compare."""

    row: Row
    display: Display
    seconds: float
    error: str = ""

    @property
    def passed(self) -> bool:
        return not self.findings

    @property
    def findings(self) -> tuple[str, ...]:
        if self.error:
            return (self.error,)
        pairs = (("state", self.row.state, self.display.state), ("told", self.row.told, self.display.words))
        return tuple(f'{name}: "{came}" instead of "{due}"' for name, due, came in pairs if came != due)


def run(desk: Desk, rows: Sequence[Row], *, note: Callable[[Result], None]) -> list[Result]:
    """Every row, whatever becomes of the one before; `note` hears of each at once."""
    results = []
    for row in rows:
        result = _one(desk, row)
        note(result)
        results.append(result)
    return results


def _act(row: Row) -> Act:
    if row.act not in ACTS:
        raise DrillError(f"There is no act {row.act}.")
    return ACTS[row.act]


def _one(desk: Desk, row: Row) -> Result:
    began = time.monotonic()
    display, error = Display(""), ""
    try:
        display = _act(row)(desk, row)
    except PolicyRefused as refusal:
        display = Display("not allowed", refusal.sentence)
    except DrillError as missing:
        error = str(missing)
    return Result(row, display, round(time.monotonic() - began, 2), error)


def write_report(folder: Path, results: Sequence[Result], *, now: datetime) -> None:
    """Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    data = [_as_data(each) for each in results]
    whole = {"title": TITLE, "at": now.isoformat(), "results": data}
    (folder / "report.json").write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    _junit(results).write(str(folder / "junit.xml"))
    (folder / "index.html").write_text(_page(data, now), encoding="utf-8")


def _as_data(result: Result) -> dict[str, Any]:
    row = result.row
    return {
        "scenario": row.scenario,
        "act": row.act,
        "sentinel": {"service": row.service, "nhs_number": row.nhs_number, "resource": row.resource},
        "verdict": "passed" if result.passed else "failed",
        "state": result.display.state,
        "told": result.display.words,
        "findings": list(result.findings),
        "seconds": result.seconds,
    }


def _junit(results: Sequence[Result]) -> JUnitXml:
    suite = TestSuite(TITLE)
    for each in results:
        case = TestCase(each.row.scenario, each.row.act, each.seconds)
        case.result = [] if each.passed else [Failure("; ".join(each.findings))]
        suite.add_testcase(case)
    document = JUnitXml(TITLE)
    document.add_testsuite(suite)
    document.update_statistics()
    return document


def _page(data: Sequence[Mapping[str, Any]], now: datetime) -> str:
    passed = sum(each["verdict"] == "passed" for each in data)
    return _PAGE.substitute(
        title=TITLE,
        style=_STYLE,
        summary=f"{passed} of {len(data)} passed, {now:%d %B %Y %H:%M} UTC. Test data only.",
        head="".join(f'<th scope="col">{name}</th>' for name in _COLUMNS),
        rows="".join(map(_line, data)),
    )


def _line(each: Mapping[str, Any]) -> str:
    cells = (each["scenario"], each["act"], each["state"], each["told"], "; ".join(each["findings"]))
    verdict = f'<td class="{each["verdict"]}">{each["verdict"]}</td>'
    return f"<tr>{verdict}" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells) + "</tr>\n"
