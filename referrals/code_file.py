"""Reads code lists from CSV: the columns list, system, code, display. Pure, streaming."""

import csv
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

from pydantic import ValidationError

from referrals.content import Concept
from referrals.content.base import LINE


class ListName(StrEnum):
    """Which question the codes answer."""

    OUTCOMES = "outcomes"
    ADJUSTMENTS = "adjustments"
    TASKS = "tasks"
    COMPLAINTS = "complaints"
    OBSERVATIONS = "observations"
    PROCEDURES = "procedures"
    MEDICINES = "medicines"
    SUBSTANCES = "substances"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    ListName.OUTCOMES: "Triage outcomes and dispositions",
    ListName.ADJUSTMENTS: "Reasonable adjustments",
    ListName.TASKS: "What is asked",
    ListName.COMPLAINTS: "Presenting complaints",
    ListName.OBSERVATIONS: "Observations",
    ListName.PROCEDURES: "Procedures",
    ListName.MEDICINES: "Medicines",
    ListName.SUBSTANCES: "Substances of allergies",
}
COLUMNS = ("list", "system", "code", "display")
_LONGEST = {"list": 20, "system": 200, "code": 100, "display": LINE}


class CodeRow(NamedTuple):
    list: str
    system: str
    code: str
    display: str


class BadCodeFile(ValueError):
    """The file cannot be read; `faults` name line and reason, first line first."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


def read_codes(lines: Iterable[str]) -> list[CodeRow]:
    """Every row, or BadCodeFile with all faults: a list is taken whole or not at all."""
    reader = csv.reader(lines, strict=True)
    rows: dict[tuple[str, str, str], CodeRow] = {}
    faults: list[str] = []
    try:
        _check_header(next(reader, []))
        for cells in filter(None, reader):
            row = CodeRow(*(cell.strip() for cell in (*cells, "", "", "", "")[:4]))
            found = _faults(row, cells, rows.keys())
            faults += [f"Line {reader.line_num}: {each}" for each in found]
            rows[row[:3]] = row
    except csv.Error as fault:
        faults.append(f"Line {reader.line_num}: this is not CSV ({fault}).")
    if faults:
        raise BadCodeFile(faults)
    return list(rows.values())


def is_usable(system: str, code: str, display: str) -> bool:
    """Whether a request can carry it."""
    try:
        Concept(system, code, display)
    except ValidationError:
        return False
    return ":" in system


def _check_header(header: list[str]) -> None:
    names = tuple(name.strip().lstrip("\ufeff").lower() for name in header)
    if names != COLUMNS:
        raise BadCodeFile([f"Line 1: the columns must be {', '.join(COLUMNS)}."])


def _faults(row: CodeRow, cells: list[str], known: Iterable[tuple[str, ...]]) -> Iterator[str]:
    if len(cells) != len(COLUMNS):
        yield f"there are {len(cells)} columns instead of {len(COLUMNS)}."
        return
    for name, value in row._asdict().items():
        if not value:
            yield f"the column {name} is empty."
        elif len(value) > _LONGEST[name] or not value.isprintable():
            yield f"the column {name} is too long or holds characters that cannot be shown."
    if row.list and row.list not in set(ListName):
        yield f"there is no list {row.list[:20]!r}. Use one of {', '.join(ListName)}."
    if row.system and row.code and not is_usable(row.system, row.code, row.display):
        yield "the column system must be an address, such as http://snomed.info/sct, and the code plain text."
    if row[:3] in known:
        yield "this code is in the list already."
