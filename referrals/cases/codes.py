"""Codes of a request: as it states them, the lists that forms offer, and how urgent a priority is. Pure."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, NamedTuple, Self

from pydantic import AwareDatetime, ConfigDict, StringConstraints, ValidationError, model_validator
from pydantic import dataclasses as checked

from bars_portal.exchange.fhir.codes import ARPPriority
from bars_portal.exchange.fhir.identifiers import same_system
from bars_portal.values import SHORTENED, is_shortened, is_snomed_id
from referrals.cases.states import Labelled

# What was stated is about a patient: an error names the field, never the value.
STRICT = ConfigDict(hide_input_in_errors=True, extra="forbid")
LINE, WORDS = 200, 20_000
# FHIR's string: no control characters but the three that break lines (R4 datatypes).
_PRINTABLE = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"

Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LINE, pattern=_PRINTABLE)
]
Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=WORDS, pattern=_PRINTABLE)
]
LineOrNone = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LINE, pattern=_PRINTABLE)]
WordsOrNone = Annotated[str, StringConstraints(strip_whitespace=True, max_length=WORDS, pattern=_PRINTABLE)]
# One published code has 69 characters; FHIR sets no limit.
Code = Annotated[str, StringConstraints(max_length=100, pattern=r"^(?:[!-~]+(?: [!-~]+)*)?$")]
Uri = Annotated[str, StringConstraints(max_length=LINE, pattern=r"^[!-~]*$")]
# A FHIR date as far as it is known, or nothing.
PartDate = Annotated[str, StringConstraints(pattern=r"^(?:[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?)?$")]
# The id of a resource on another server.
ResourceId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9\-.]{1,64}$")]
Moment = Annotated[datetime, AwareDatetime]


@checked.dataclass(frozen=True, config=STRICT)
class Concept:
    """A code of a system, words, or both (FHIR CodeableConcept with one Coding at the most)."""

    system: Uri = ""
    code: Code = ""
    display: LineOrNone = ""
    text: WordsOrNone = ""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if bool(self.system) != bool(self.code):
            raise ValueError("A code needs its system, and a system a code.")
        if not (self.code or self.text):
            raise ValueError("A code or words are needed.")
        if self.display and not self.code:
            raise ValueError("A display belongs to a code.")
        return self


class ListName(Labelled):
    """Which question the codes answer."""

    OUTCOMES = "outcomes", "Triage outcomes and dispositions"
    ADJUSTMENTS = "adjustments", "Reasonable adjustments"
    TASKS = "tasks", "What is asked"
    COMPLAINTS = "complaints", "Presenting complaints"
    OBSERVATIONS = "observations", "Observations"
    PROCEDURES = "procedures", "Procedures"
    MEDICINES = "medicines", "Medicines"
    SUBSTANCES = "substances", "Substances of allergies"
    REACTIONS = "reactions", "Reactions of allergies"


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


# What has its codes from SNOMED CT, with their check digit.
_SNOMED = ("http://snomed.info/sct", "https://dmd.nhs.uk")


def code_fault(system: str, code: str) -> str:
    """What a spreadsheet did to a code, in words; "" when it is whole."""
    if is_shortened(code):
        return SHORTENED
    if any(same_system(system, each) for each in _SNOMED) and not is_snomed_id(code):
        return "this is no SNOMED CT code; a spreadsheet changes the last digits of long ones"
    return ""


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
    elif words := code_fault(row.system, row.code):
        yield f"the column code: {words}."
    if row[:3] in known:
        yield "this code is in the list already."


@dataclass(frozen=True)
class CodeList:
    """`key` names it on the page; `codes` are (system, code, display)."""

    key: str
    codes: tuple[tuple[str, str, str], ...]

    @cached_property
    def by_words(self) -> Mapping[str, Concept]:
        """By what can be typed: the words, the code, or both; in small letters."""
        found: dict[str, Concept] = {}
        for system, code, display in self.codes:
            concept = Concept(system, code, display)
            found |= {each.casefold(): concept for each in (display, code, f"{display} ({code})")}
        return found

    @property
    def options(self) -> list[str]:
        return [f"{display} ({code})" for _, code, display in self.codes]


NOTHING = CodeList("", ())


_FILE = Path(__file__).resolve().parent.parent / "data" / "published_codes.csv"


def lists_from(rows: Iterable[CodeRow]) -> dict[str, CodeList]:
    """By their names; only those that have codes."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for row in rows:
        found.setdefault(row.list, []).append((row.system, row.code, row.display))
    return {name: CodeList(name, tuple(codes)) for name, codes in found.items()}


def published_rows() -> list[CodeRow]:
    """What the packages and examples of the standard carry."""
    with _FILE.open(encoding="utf-8", newline="") as lines:
        return read_codes(lines)


# The full systems are licensed separately: `manage.py import_codes` takes them.
PUBLISHED: Mapping[str, CodeList] = lists_from(published_rows())
TRIAGE_OUTCOMES = PUBLISHED[ListName.OUTCOMES]
ADJUSTMENTS = PUBLISHED[ListName.ADJUSTMENTS]
TASKS = PUBLISHED[ListName.TASKS]
COMPLAINTS = PUBLISHED[ListName.COMPLAINTS]
OBSERVATIONS = PUBLISHED[ListName.OBSERVATIONS]
PROCEDURES = PUBLISHED[ListName.PROCEDURES]
MEDICINES = PUBLISHED[ListName.MEDICINES]
SUBSTANCES = PUBLISHED[ListName.SUBSTANCES]
REACTIONS = PUBLISHED[ListName.REACTIONS]


_ARP = ARPPriority
# Codes of arp-priority-codes and of ServiceRequest.priority: 1 is the most urgent.
URGENCY: Mapping[str, int] = {
    **dict.fromkeys((_ARP.C1.value, _ARP.HCP1.value, _ARP.IFT1.value, "stat"), 1),
    **dict.fromkeys((_ARP.C2.value, _ARP.HCP2.value, _ARP.IFT2.value, "asap"), 2),
    **dict.fromkeys((_ARP.C3.value, _ARP.HCP3.value, _ARP.IFT3.value, "urgent"), 3),
    **dict.fromkeys((_ARP.C4.value, _ARP.C4T.value, _ARP.HCP4.value, _ARP.HCP4T.value, _ARP.IFT4.value), 4),
    **dict.fromkeys((_ARP.C5.value, "routine"), 5),
}
NOT_STATED = 9


class CategoryChange(StrEnum):
    """What a validation did to the category."""

    RAISED = "raised"
    SAME = "same"
    LOWERED = "lowered"
    NOT_STATED = "not-stated"

    @property
    def label(self) -> str:
        return self.value.replace("-", " ").capitalize()


def urgency(code: str) -> int:
    """NOT_STATED for a code that nobody knows."""
    return URGENCY.get(code, NOT_STATED)


def compare(before: str, after: str) -> CategoryChange:
    """The two priorities, of the request and of its outcome."""
    asked, found = urgency(before), urgency(after)
    if NOT_STATED in (asked, found):
        return CategoryChange.NOT_STATED
    if found == asked:
        return CategoryChange.SAME
    return CategoryChange.RAISED if found < asked else CategoryChange.LOWERED


PRIORITIES: Mapping[str, str] = {
    _ARP.C1: "Category 1: life-threatening",
    _ARP.C2: "Category 2: emergency",
    _ARP.C3: "Category 3: urgent",
    _ARP.C4: "Category 4: less urgent",
    _ARP.C4T: "Category 4: less urgent, transport",
    _ARP.C5: "Category 5: no ambulance",
    _ARP.HCP1: "Health professional, level 1: life-threatening",
    _ARP.HCP2: "Health professional, level 2: emergency",
    _ARP.HCP3: "Health professional, level 3: urgent",
    _ARP.HCP4: "Health professional, level 4: less urgent",
    _ARP.HCP4T: "Health professional, level 4: less urgent, transport",
    _ARP.IFT1: "Between hospitals, level 1: life-threatening",
    _ARP.IFT2: "Between hospitals, level 2: emergency",
    _ARP.IFT3: "Between hospitals, level 3: urgent",
    _ARP.IFT4: "Between hospitals, level 4: less urgent",
    "stat": "Immediate",
    "asap": "As soon as possible",
    "urgent": "Urgent",
    "routine": "Routine",
}

_NOTHING_STATED = "Not stated"


def priority_words(code: str) -> str:
    """A code that nobody knows is left to staff."""
    return PRIORITIES.get(code, "Other priority") if code else _NOTHING_STATED
