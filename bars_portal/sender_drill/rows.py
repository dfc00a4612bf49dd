"""The drill's table: what is done, and what a clinician must be told. Data for testers to read and add to."""

import csv
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).parent / "rows.csv"


@dataclass(frozen=True)
class Row:
    """`scenario` is its name in the published test world; `act` one of acts.ACTS.

    `state` and `told` are what must come of it: a status, and the sentence on the page ("" for none).
    """

    scenario: str
    act: str
    service: str
    nhs_number: str
    resource: str
    state: str
    told: str


@dataclass(frozen=True)
class LeftOut:
    """A scenario that the portal's services never ask for, and why."""

    scenario: str
    why: str


def rows(file: Path = TABLE) -> list[Row]:
    """Raises OSError, and TypeError when a column is missing."""
    return [Row(**line) for line in _lines(file)]


def left_out() -> list[LeftOut]:
    return [LeftOut(**line) for line in _lines(TABLE.with_name("left_out.csv"))]


def _lines(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))
