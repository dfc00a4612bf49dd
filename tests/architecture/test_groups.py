"""What may run beside the journeys that take times of the demo's services: tests/groups.py."""

import re

import pytest

from tests.conftest import ROOT
from tests.groups import TAKE_NO_TIME

_TAKES = re.compile(r"choose_time|\.book\(|\.begin\(")
_PLACE = ROOT / "tests" / "browser"


@pytest.mark.parametrize("journey", TAKE_NO_TIME)
def test_who_is_beside_them_takes_none(journey: str) -> None:
    assert not _TAKES.search((_PLACE / f"test_{journey}.py").read_text())


def test_nor_do_the_helpers_that_both_have() -> None:
    helpers = [file for file in _PLACE.glob("*.py") if not file.name.startswith("test_")]
    takers = {file.name for file in helpers if _TAKES.search(file.read_text())}
    assert takers == {"person.py"}, "whose ways are those that are looked for above"
