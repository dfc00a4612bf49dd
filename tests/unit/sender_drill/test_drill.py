"""The drill's table has every row of the published test world, and a wrong word in it is found."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from bars_portal.sender_drill.acts import ACTS
from bars_portal.sender_drill.desk import TABLE, Display, Row, rows
from bars_portal.sender_drill.running import Result, write_report

TABLES = Path(__file__).resolve().parents[3] / "bars_portal" / "simulator" / "tkw" / "tables"
ROW = Row("A scenario", "book", "2000072489", "9658499023", "", "refused", "Choose another slot.")


def lines(name: str, folder: Path = TABLES) -> list[dict[str, str]]:
    with (folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


def published() -> set[str]:
    """As the simulator, which shares no code with us, has them."""
    cells = {
        f"Stateful: {line['event']}, {state}"
        for line in lines("stateful.csv")
        for state in ("initial", "booked", "referred")
    }
    return {line["name"] for line in lines("scenarios.csv")} | cells


def test_every_published_row_is_drilled_or_left_out_for_a_reason() -> None:
    left_out = lines("left_out.csv", TABLE.parent)
    drilled, without = {row.scenario for row in rows()}, {each["scenario"] for each in left_out}
    assert published() == drilled | without
    assert not drilled & without
    assert all(len(each["why"]) > 20 for each in left_out)


def test_the_sentinels_are_the_published_ones() -> None:
    known = {line["name"]: line for line in lines("scenarios.csv")}
    for row in rows():
        line = known.get(row.scenario, {"value": ""})
        values = {"service": row.service, "nhs_number": row.nhs_number, "id": row.resource}
        assert line["value"] in ("", "*", *values.values()) or line["sentinel"] not in values, row.scenario


def test_every_act_is_used_and_known() -> None:
    assert {row.act for row in rows()} == set(ACTS)
    assert all(row.state for row in rows())


def test_a_refusal_always_has_words() -> None:
    assert all(row.told for row in rows() if row.state in ("refused", "unreachable", "missing", "no-answer"))


@pytest.mark.parametrize(
    ("told", "error", "findings"),
    [
        (Display("refused", "Choose another slot."), "", 0),
        (Display("booked", "Choose another slot."), "", 1),
        (Display("booked"), "", 2),
        (Display(""), "The test service offers no times.", 1),
    ],
    ids=["as-expected", "state", "both", "error"],
)
def test_what_differs_is_found(told: Display, error: str, findings: int) -> None:
    result = Result(ROW, told, 0.1, error)
    assert (len(result.findings), result.passed) == (findings, findings == 0)


def test_the_report(tmp_path: Path) -> None:
    good, bad = Result(ROW, Display("refused", ROW.told), 0.1), Result(ROW, Display("<booked>"), 0.2)
    write_report(tmp_path / "new", [good, bad], now=datetime(2026, 11, 21, 9, 0, tzinfo=UTC))
    told: Any = json.loads((tmp_path / "new" / "report.json").read_text())
    assert [each["verdict"] for each in told["results"]] == ["passed", "failed"]
    suite = ET.fromstring((tmp_path / "new" / "junit.xml").read_text())[0]
    assert (suite.get("tests"), suite.get("failures"), len(suite.findall(".//failure"))) == ("2", "1", 1)
    page = (tmp_path / "new" / "index.html").read_text()
    assert "1 of 2 passed" in page
    assert "<booked>" not in page
