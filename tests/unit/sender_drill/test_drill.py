"""The drill's table has every row of the published test world, and a wrong word in it is found."""

import csv
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.sender_drill import running
from bars_portal.sender_drill.acts import ACTS
from bars_portal.sender_drill.desk import (
    TABLE,
    Desk,
    Display,
    Receiving,
    Row,
    patient,
    published_patients,
    rows,
)
from bars_portal.sender_drill.running import Result, Verdict, counted, write_report
from referrals.cases.states import Category

TABLES = Path(__file__).resolve().parents[3] / "bars_portal" / "simulator" / "tkw" / "tables"
ROW = Row("A scenario", "1.8.1", "book", "2000072489", "9658499023", "", "refused", "Choose another slot.")


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


def test_each_row_names_the_newest_guide_that_has_it() -> None:
    editions = {line["name"]: line["editions"].split() for line in lines("scenarios.csv")}
    guides = {"1.8.1": "1.8.1", "beta": "1.0.0-beta", "own": ""}
    for row in rows():
        known = editions.get(row.scenario, ["1.8.1"])
        assert row.guide == guides["1.8.1" if "1.8.1" in known else known[0]], row.scenario


def test_the_patients_are_the_published_ones() -> None:
    assert list(published_patients().values()) == lines("patients.csv")
    adrian = patient("9658499007")
    assert (adrian.given_names, adrian.family_name, adrian.birth_date) == (
        "Adrian",
        "DYBALL",
        date(1932, 10, 29),
    )
    assert patient("").family_name == "TESTING"


def at_int(act: str, guide: str = "1.8.1") -> Row:
    return replace(ROW, act=act, guide=guide)


REFERRALS = {Category.REFERRAL: Receiving("2000099001", UseCase.A1T1)}


@pytest.mark.parametrize(
    ("row", "hears", "receiving", "why"),
    [
        (at_int("book"), False, {}, ""),
        (at_int("book", "1.0.0-beta"), True, REFERRALS, "Only the older guide 1.0.0-beta has it."),
        (at_int("book", ""), True, REFERRALS, "the simulator alone answers so"),
        (at_int("validate and hear"), True, {}, ""),
        (at_int("validate and hear"), False, REFERRALS, "the reply would not come"),
        (at_int("refer and hear"), False, REFERRALS, "the reply would not come"),
        (at_int("answer: did not attend"), False, REFERRALS, ""),
        (at_int("answer: did not attend"), True, {}, "takes referrals"),
        (at_int("answer: outcome"), True, REFERRALS, "takes validations"),
    ],
)
def test_what_cannot_be_run_at_int_says_why(
    row: Row, hears: bool, receiving: dict[Category, Receiving], why: str
) -> None:
    desk = Desk(None, None, None, None, receiving, hears)  # type: ignore[arg-type]  # asked for nothing else
    told = running.lack_for(desk, row)
    assert why in told
    assert bool(why) == bool(told)


def test_at_int_only_what_can_be_is_run_and_for_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[Row] = []

    def act(_: Desk, row: Row) -> Display:
        done.append(row)
        return Display(row.state, row.told)

    monkeypatch.setattr(running, "require_answer", lambda _: None)
    monkeypatch.setitem(ACTS, "book", act)
    desk = Desk(None, None, None, None)  # type: ignore[arg-type]  # the act above asks for nothing
    table = [ROW, replace(ROW, guide="")]
    assert counted(running.run_at_int(desk, table, note=lambda _: None)) == {
        Verdict.PASSED: 1,
        Verdict.FAILED: 0,
        Verdict.NOT_RUN: 1,
    }
    late = running.run_at_int(desk, table, note=lambda _: None, seconds=-1.0)
    assert "was up" in late[0].why_not
    assert len(done) == 1


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
    verdict = Verdict.FAILED if findings else Verdict.PASSED
    assert (len(result.findings), result.verdict) == (findings, verdict)


def test_the_report(tmp_path: Path) -> None:
    good, bad = Result(ROW, Display("refused", ROW.told), 0.1), Result(ROW, Display("<booked>"), 0.2)
    left = Result(ROW, Display(""), 0.0, why_not="In no guide.")
    write_report(tmp_path / "new", [good, bad, left], now=datetime(2026, 11, 21, 9, 0, tzinfo=UTC))
    told: Any = json.loads((tmp_path / "new" / "report.json").read_text())
    assert [each["verdict"] for each in told["results"]] == ["passed", "failed", "not run"]
    suite = ET.fromstring((tmp_path / "new" / "junit.xml").read_text())[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
    page = (tmp_path / "new" / "index.html").read_text()
    assert "1 of 2 passed, 1 not run" in page
    assert "<booked>" not in page
