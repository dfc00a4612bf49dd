"""Every published sentinel through the portal's own services, over real HTTP: what a clinician is told."""

import json
from pathlib import Path
from typing import Any

import pytest

from bars_portal.sender_drill.desk import Row, rows
from tests.stack import Stack

Told = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def told(drilled: Path) -> Told:
    """That the command fails is for its rows to say."""
    found = json.loads((drilled / "report.json").read_text())["results"]
    return {(each["scenario"], each["act"]): each for each in found}


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.scenario.replace(" ", "-"))
def test_what_a_clinician_is_told(told: Told, row: Row) -> None:
    came = told[row.scenario, row.act]
    assert (came["state"], came["told"], came["findings"]) == (row.state, row.told, [])


def test_a_wrong_word_in_the_table_fails_the_command(stack: Stack) -> None:
    """The drill can fail: this row, read with another rule, is not as it should be."""
    assert stack.call("tests.live.drilling.verdicts") == "[True, False]"
