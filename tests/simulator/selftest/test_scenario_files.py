"""Scenario files are read strictly, ours are many and complete, their messages are sound FHIR."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bars_portal.simulator.selftest.messages import Values, build, names
from bars_portal.simulator.selftest.model import Scenario
from bars_portal.simulator.selftest.scenarios import (
    ROLES,
    BadScenario,
    UnknownScenario,
    read_scenarios,
    select,
)
from tests.fhir_check import assert_no_errors

GROUP = '[group]\nid = "MINE"\ntitle = "Mine"\nsection = "6"\n'
GOOD = '[[scenario]]\nid = "MINE-01"\nname = "One"\ncall = "GET /metadata"\nexpect = { status = 200 }\n'
SLOT = {"id": "4d65ddaa-4d09-41cd-87c9-aeb9c0c96352", "start": "2026-12-01T10:00:00+00:00"}
_ROW = re.compile(r"<[a-z_]+>")
SLOT["end"] = "2026-12-01T10:15:00+00:00"


@pytest.fixture(scope="module")
def scenarios() -> tuple[Scenario, ...]:
    return read_scenarios()


def test_there_are_many_and_each_has_an_id_of_its_own(scenarios: tuple[Scenario, ...]) -> None:
    """The issue asks for 150; a row of a table is a scenario, so the tables are counted once as well."""
    assert len(scenarios) > 400
    assert len({each.id.partition(".")[0] for each in scenarios}) > 150


def test_every_role_and_section_has_scenarios(scenarios: tuple[Scenario, ...]) -> None:
    assert {each.role for each in scenarios} == set(ROLES)
    sections = {section for each in scenarios for section in each.section.split(", ")}
    assert sections >= {"3", "4", "5", "6", "7", "9"}


def test_no_place_of_a_row_is_left_open(scenarios: tuple[Scenario, ...]) -> None:
    assert [each.id for each in scenarios if _ROW.search(each.name + repr(each.steps))] == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("not toml", "mine.toml"),
        (GROUP + GOOD + GOOD, "MINE-01 is there twice"),
        (GROUP + GOOD.replace("call", "cal"), "a step does one of"),
        (GROUP + GOOD.replace("status", "stattus"), "unknown members: stattus"),
        (GROUP + GOOD + "colour = 1\n", "unknown members: colour"),
        (GROUP + GOOD.replace('call = "GET /metadata"', 'send = "no-such"'), "no message template no-such"),
        (GROUP + GOOD + 'role = "nobody"\n', "nobody is none of"),
        (GROUP + GOOD + 'certificate = "mine"\n', "mine is none of"),
        (GROUP + GOOD.replace('name = "One"\n', ""), "scenario MINE-01: 'name'"),
        (GROUP + GOOD.replace("{ status = 200 }", "{}"), "expects something"),
        (GROUP + 'colour = "blue"\n' + GOOD, "group has unknown members"),
        (GROUP + GOOD + "each = [{ status = 1 }]\n", "'row'"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_place(content: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(content)

    with pytest.raises(BadScenario, match=told):
        read_scenarios([file])


def test_rows_make_scenarios_and_keep_their_types(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    rows = 'each = [{ row = "a", code = 404, at = "x" }, { row = "b", code = 405, at = "y" }]\n'
    scenario = GOOD.replace('"One"', '"At <at>"').replace("200", '"<code>"').replace("metadata", "<at>")
    file.write_text(GROUP + scenario + rows)

    one, two = read_scenarios([file])

    assert (one.id, one.name, one.steps[0].what, one.steps[0].expect) == (
        "MINE-01.a",
        "At x",
        "GET /x",
        {"status": 404},
    )
    assert (two.id, two.steps[0].expect) == ("MINE-01.b", {"status": 405})


@pytest.mark.parametrize(
    ("wanted", "first", "count"),
    [
        (["TLS"], "TLS-01", 4),
        (["PATH-03.root"], "PATH-03.root", 1),
        (["VAL-02", "TLS-01"], "VAL-02.triaged", 3),
    ],
)
def test_groups_scenarios_and_rows_can_be_chosen(
    wanted: list[str], first: str, count: int, scenarios: tuple[Scenario, ...]
) -> None:
    chosen = select(scenarios, wanted)

    assert (chosen[0].id, len(chosen)) == (first, count)


def test_what_answers_a_request_of_theirs_needs_one(scenarios: tuple[Scenario, ...]) -> None:
    ids = [{each.id for each in select(scenarios, [], answers_theirs=told)} for told in (False, True)]

    assert ids[1] - ids[0] == {"VANS-20"}


def test_what_asks_for_a_slot_that_is_not_offered_needs_one(scenarios: tuple[Scenario, ...]) -> None:
    ids = [{each.id for each in select(scenarios, [], asks_closed=told)} for told in (False, True)]

    assert ids[1] - ids[0] == {"BOOK-22", "SLOT-14"}


def test_what_is_not_there_cannot_be_chosen(scenarios: tuple[Scenario, ...]) -> None:
    with pytest.raises(UnknownScenario, match="TL"):
        select(scenarios, ["TL"])


def test_message_templates_satisfy_the_published_profiles(shared_dir: Path, tmp_path: Path) -> None:
    for name in names():
        use_case = {"cad": "a6t1", "val": "a4t1"}.get(name[:3], "a1t1")
        fixed = {"service": "2000099999", "sender": "2000088001", "use_case": use_case, "answers": SLOT["id"]}
        values = Values(fixed, datetime(2026, 11, 20, 9, tzinfo=UTC), lambda _: SLOT)
        (tmp_path / f"{name}.json").write_text(json.dumps(build(name, {}, values)))
    assert_no_errors(shared_dir, tmp_path)
    assert len(names()) > 10
