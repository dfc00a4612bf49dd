"""One row after the other: what came of it, held against what its row says, and the report of a run.

At int the rows of the newest guide are run, as far as the organisation has what they ask for; each of the
others is told with its reason.
"""

import html
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from string import Template
from typing import Any

from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.sender_drill.acts import ACTS, Act
from bars_portal.sender_drill.desk import Desk, Display, DrillError, Row, require_answer
from referrals.cases.states import Category

# As the test services of int answer.
NEWEST_GUIDE = "1.8.1"
# Of a whole run at int; each row waits for the network, and some for a reply that comes later.
SECONDS = 1_500.0
TITLE = "Sender drill"
_STYLE = (
    "body{font:1rem/1.5 Arial,sans-serif;color:#212b32;margin:1.5rem}table{border-collapse:collapse}"
    "th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid #d8dde0}"
    ".failed{color:#d5281b;font-weight:bold}.not-run{color:#4c6272}"
)
_PAGE = Template(
    '<!doctype html>\n<html lang="en-GB"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>$title</title>'
    "<style>$style</style></head><body><h1>$title</h1><p>$summary</p>\n<table>"
    "<caption>What a clinician is told</caption><thead><tr>$head</tr></thead>\n<tbody>$rows</tbody></table>"
    "</body></html>\n"
)
_COLUMNS = ("Verdict", "Scenario", "Act", "State", "Told", "Findings")


class Verdict(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class Result:
    """`display` is what came; `error` why there is nothing to compare, `why_not` why it was not run."""

    row: Row
    display: Display
    seconds: float
    error: str = ""
    why_not: str = ""

    @property
    def verdict(self) -> Verdict:
        if self.why_not:
            return Verdict.NOT_RUN
        return Verdict.FAILED if self.findings else Verdict.PASSED

    @property
    def findings(self) -> tuple[str, ...]:
        if self.error or self.why_not:
            return (self.error or self.why_not,)
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


def run_at_int(
    desk: Desk, rows: Sequence[Row], *, note: Callable[[Result], None], seconds: float = SECONDS
) -> list[Result]:
    """Those that int answers and `desk` has what it takes for; the others are not run, and say why.

    Raises DrillError when the test services do not answer at all.
    """
    require_answer(desk)
    until, results = time.monotonic() + seconds, []
    for row in rows:
        why_not = lack_for(desk, row)
        if not why_not and time.monotonic() > until:
            why_not = f"The time for a whole run ({seconds / 60:.0f} minutes) was up."
        result = Result(row, Display(""), 0.0, why_not=why_not) if why_not else _one(desk, row)
        note(result)
        results.append(result)
    return results


_ANSWERS = {
    "answer: started": Category.VALIDATION,
    "answer: outcome": Category.VALIDATION,
    "answer: did not attend": Category.REFERRAL,
}
_NO_RECEIVER = {
    Category.VALIDATION: "No service of the organisation that the catalogue leads here takes validations "
    "(a4t1), so there is nothing to answer.",
    Category.REFERRAL: "No service of the organisation that the catalogue leads here takes referrals of "
    "Application 1 without a booking, so there is nothing to answer.",
}


def lack_for(desk: Desk, row: Row) -> str:
    """Why a row cannot be run at int; "" when it can."""
    if not row.guide:
        return "In no guide: the simulator alone answers so."
    if row.guide != NEWEST_GUIDE:
        return f"Only the older guide {row.guide} has it."
    if "and hear" in row.act and not desk.hears:
        return (
            "The service id that replies go to is none that the catalogue leads to this receiver, so the "
            "reply would not come."
        )
    category = _ANSWERS.get(row.act)
    return "" if category is None or category in desk.receiving else _NO_RECEIVER[category]


def counted(results: Sequence[Result]) -> dict[Verdict, int]:
    """How many of each verdict."""
    found = Counter(each.verdict for each in results)
    return {verdict: found[verdict] for verdict in Verdict}


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
        "verdict": result.verdict.value,
        "state": result.display.state,
        "told": result.display.words,
        "findings": list(result.findings),
        "seconds": result.seconds,
    }


def _junit(results: Sequence[Result]) -> JUnitXml:
    suite = TestSuite(TITLE)
    for each in results:
        case = TestCase(each.row.scenario, each.row.act, each.seconds)
        if each.verdict is not Verdict.PASSED:
            outcome = Skipped if each.verdict is Verdict.NOT_RUN else Failure
            case.result = [outcome("; ".join(each.findings))]
        suite.add_testcase(case)
    document = JUnitXml(TITLE)
    document.add_testsuite(suite)
    document.update_statistics()
    return document


def _page(data: Sequence[Mapping[str, Any]], now: datetime) -> str:
    counts = Counter(each["verdict"] for each in data)
    ran = len(data) - counts[Verdict.NOT_RUN]
    not_run = f", {counts[Verdict.NOT_RUN]} not run" if counts[Verdict.NOT_RUN] else ""
    return _PAGE.substitute(
        title=TITLE,
        style=_STYLE,
        summary=f"{counts[Verdict.PASSED]} of {ran} passed{not_run}, {now:%d %B %Y %H:%M} UTC. "
        "Test data only.",
        head="".join(f'<th scope="col">{name}</th>' for name in _COLUMNS),
        rows="".join(map(_line, data)),
    )


def _line(each: Mapping[str, Any]) -> str:
    cells = (each["scenario"], each["act"], each["state"], each["told"], "; ".join(each["findings"]))
    verdict = f'<td class="{each["verdict"].replace(" ", "-")}">{each["verdict"]}</td>'
    return f"<tr>{verdict}" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells) + "</tr>\n"
