"""What is left of a run: report.json, junit.xml and index.html. Test patients only, and no bodies."""

import html
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from string import Template
from typing import Any
from xml.etree import ElementTree as ET

from bars_portal.sender_drill.running import Result

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


def write_report(folder: Path, results: Sequence[Result], *, now: datetime) -> None:
    """Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    data = [_as_data(each) for each in results]
    whole = {"title": TITLE, "at": now.isoformat(), "results": data}
    (folder / "report.json").write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    (folder / "junit.xml").write_bytes(_junit(data))
    (folder / "index.html").write_text(_page(data, now), encoding="utf-8")


def _as_data(result: Result) -> dict[str, Any]:
    row = result.row
    return {
        "scenario": row.scenario,
        "act": row.act,
        "sentinel": {"service": row.service, "nhs_number": row.nhs_number, "resource": row.resource},
        "verdict": "passed" if result.passed else "failed",
        "state": result.told.state,
        "told": result.told.words,
        "findings": list(result.findings),
        "seconds": result.seconds,
    }


def _junit(data: Sequence[Mapping[str, Any]]) -> bytes:
    failed = sum(each["verdict"] == "failed" for each in data)
    root = ET.Element("testsuites", name=TITLE)
    suite = ET.SubElement(root, "testsuite", name=TITLE, tests=str(len(data)), failures=str(failed))
    for each in data:
        name = {"name": each["scenario"], "classname": each["act"], "time": str(each["seconds"])}
        case = ET.SubElement(suite, "testcase", name)
        if each["findings"]:
            ET.SubElement(case, "failure", message="; ".join(each["findings"]))
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


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
