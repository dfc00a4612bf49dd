"""The report's files. What they name of patients are test patients; they say so."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bars_portal.simulator.selftest.model import Json, Result, Verdict
from bars_portal.simulator.selftest.report.document import as_data
from bars_portal.simulator.selftest.report.junit import junit_xml
from bars_portal.simulator.web.rendering import render

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
