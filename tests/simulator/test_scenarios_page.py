"""docs/scenarios.md is what the tables say today, and the command prints both forms."""

import subprocess
import sys
from pathlib import Path

from bars_portal.simulator.commands import markdown, plain_list
from bars_portal.simulator.tkw.tables import accepted, focuses, scenarios, services, transitions

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_up_to_date() -> None:
    words = "run python -m bars_portal.simulator --list-scenarios --markdown > docs/scenarios.md"
    assert (ROOT / "docs" / "scenarios.md").read_text() == markdown(), words


def test_the_command_lists_every_scenario() -> None:
    command = [sys.executable, "-m", "bars_portal.simulator", "--list-scenarios"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert printed == plain_list()
    assert all(row.name in printed and row.value in printed for row in scenarios())


def test_names_are_unique_and_every_request_has_a_last_word() -> None:
    names = [row.name for row in scenarios()]
    assert len(names) == len(set(names))
    for request in {row.request for row in scenarios()} - {"free and busy slots"}:
        ends = [row.sentinel for row in scenarios() if row.request == request]
        assert ends.index("any") == len(ends) - 1, request


def test_tables_refer_to_what_other_tables_hold() -> None:
    for row in scenarios():
        if row.request in {"capability", "definitions"} and row.answer == 200:
            assert accepted(row.gives), row.name
            assert all(focuses(each.definition) for each in accepted(row.gives))
        if row.sentinel in {"target", "service"}:
            assert row.value in services()
    assert len(transitions()) == 15
