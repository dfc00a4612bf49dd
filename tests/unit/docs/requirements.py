"""Reading docs/requirements.toml: which row of the guide is shown where, and whether what is named exists.

`python -m tests.unit.docs.requirements` prints rows by Application, and the gaps with the gravest first.
"""

import csv
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from tests.unit.docs.markdown import ROOT

FILE = ROOT / "docs" / "requirements.toml"
KINDS = ("gap", "excepted", "met")
TOUCHES = ("patient", "partner", "content")
_RANGE = re.compile(r"([A-Z]+[1-6]?)-([0-9]{3})\.\.([0-9]{3})")
_ROW = re.compile(r"(?:CORE|APP|A[1-6])-[0-9]{3}")
_TEST = r"^\s*(?:async )?def {}\("

Json = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """A duty of the guide, as the shared notes number it."""

    id: str
    level: str
    applications: tuple[str, ...]
    messages: tuple[str, ...]


@dataclass(frozen=True)
class Element:
    """ "some Location[ILOC].position = value": a path in the resources of a type, and what stands there.

    A code in brackets chooses, at any step, the parts that have it: as a value of their own or in a coding.
    """

    kind: str
    code: str
    names: tuple[str, ...]
    value: str = ""
    each: bool = True

    @classmethod
    def parse(cls, text: str) -> "Element":
        path, _, value = text.removeprefix("some ").partition("=")
        kind, *names = path.strip().split(".")
        return cls(*_chosen(kind), tuple(names), value.strip(), not text.startswith("some "))

    def stands_in(self, bundle: Json) -> bool | None:
        """None where the message has no such resource."""
        found = [self._fits(each) for each in self._resources(bundle)]
        if not found:
            return None
        return all(found) if self.each else any(found)

    def _resources(self, bundle: Json) -> list[Json]:
        if self.kind == "Bundle":
            return [bundle]
        found = [each["resource"] for each in bundle["entry"]]
        return [each for each in found if each["resourceType"] == self.kind and _is_meant(each, self.code)]

    def _fits(self, resource: Json) -> bool:
        found: list[Any] = [resource]
        for step in self.names:
            name, code = _chosen(step)
            inner = [part for each in found if isinstance(each, dict) for part in _listed(each.get(name))]
            found = [each for each in inner if not code or _is_meant(each, code)]
        return self.value in found if self.value else bool(found)


def _chosen(step: str) -> tuple[str, str]:
    """ "Location[ILOC]" as its name and its code."""
    name, _, code = step.partition("[")
    return name, code.rstrip("]")


def _is_meant(part: Any, code: str) -> bool:
    told = [value for each in part.values() for value in _listed(each)] if isinstance(part, dict) else []
    inner = [each for each in told if isinstance(each, dict)]
    codings = [*inner, *(coding for each in inner for coding in _listed(each.get("coding")))]
    return not code or code in told or any(each.get("code") == code for each in codings)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value in (None, "", {}) else [value]


@dataclass(frozen=True)
class Entry:
    """One table of the file; `words` are our own: the duty, the reason, or what is missing."""

    kind: str
    rows: tuple[str, ...]
    words: str
    evidence: tuple[str, ...] = ()
    touches: str = ""
    where: str = ""


@dataclass(frozen=True)
class Trace:
    gaps: int
    entries: tuple[Entry, ...]
    elements: dict[str, Element]

    @cached_property
    def places(self) -> list[tuple[str, str]]:
        """(row, where it is told): each row once in a file that is right."""
        told = [(row, entry.kind) for entry in self.entries for row in entry.rows]
        return [*told, *((row, "element") for row in self.elements)]

    @property
    def missing(self) -> list[Entry]:
        return [each for each in self.entries if each.kind == "gap"]


_WORDS = {"gap": "missing", "excepted": "because", "met": "duty"}
_MEMBERS = {
    "gap": {"rows", "touches", "missing", "where"},
    "excepted": {"rows", "because", "evidence"},
    "met": {"rows", "duty", "evidence"},
}


def read_trace(text: str) -> Trace:
    """Raises ValueError for a member or a row that is none."""
    raw = tomllib.loads(text)
    entries = tuple(_entry(kind, each) for kind in KINDS for each in raw.get(kind, []))
    elements = {row: Element.parse(told) for row, told in raw.get("elements", {}).items()}
    return Trace(raw["gaps"], entries, elements)


def _entry(kind: str, raw: Json) -> Entry:
    if unknown := set(raw) - _MEMBERS[kind]:
        raise ValueError(f"{raw.get('rows')}: {sorted(unknown)}")
    words, where = str(raw[_WORDS[kind]]).strip(), str(raw.get("where", "")).strip()
    evidence, touches = tuple(raw.get("evidence", ())), raw.get("touches", "")
    return Entry(kind, tuple(ids_in(raw["rows"])), words, evidence, touches, where)


def ids_in(text: str) -> Iterator[str]:
    """ "APP-001..003 A1-004" one by one."""
    for word in text.split():
        found = _RANGE.fullmatch(word)
        if found:
            yield from (f"{found[1]}-{n:03d}" for n in range(int(found[2]), int(found[3]) + 1))
        elif _ROW.fullmatch(word):
            yield word
        else:
            raise ValueError(f"{word} is no row")


def rows_of_the_guide(shared: Path) -> dict[str, Row]:
    found = {}
    for name in ("core.csv", "applications.csv"):
        with (shared / "requirements" / name).open(encoding="utf-8", newline="") as file:
            for raw in csv.DictReader(file):
                applications = tuple(raw.get("application", "Core").split(";"))
                messages = tuple(raw.get("message", "-").split(","))
                found[raw["id"]] = Row(raw["id"], raw["level"], applications, messages)
    return found


def is_about(row: Row, application: str, message: str) -> bool:
    return application in row.applications and any(fnmatch(message, each) for each in row.messages)


@cache
def _source(file: str) -> str:
    path = ROOT / "tests" / file
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def has_test(node: str) -> bool:
    """ "unit/x/test_y.py::test_z"."""
    file, _, name = node.partition("::")
    return bool(name) and re.search(_TEST.format(re.escape(name)), _source(file), re.MULTILINE) is not None


def table(trace: Trace, rows: dict[str, Row]) -> Iterator[str]:
    """Rows by Application and level, and where they are told; then the gaps, the gravest first."""
    kinds = ("element", "met", "excepted", "gap")
    told = dict(trace.places)
    yield f"{'':10}{'rows':>8}" + "".join(f"{kind:>10}" for kind in kinds)
    for application in ("Core", *"123456"):
        for level in ("MUST", "SHOULD"):
            of_it = [r.id for r in rows.values() if r.level == level and application in r.applications]
            counts = [sum(told.get(each) == kind for each in of_it) for kind in kinds]
            yield f"{application:4}{level:>6}{len(of_it):>8}" + "".join(f"{each:>10}" for each in counts)
    for touches in TOUCHES:
        for gap in (each for each in trace.missing if each.touches == touches):
            yield f"\n{touches}: {' '.join(gap.rows)}\n  {gap.words}\n  {gap.where}"


if __name__ == "__main__":
    shared = Path(os.environ.get("BARS_SHARED_DIR", ROOT.parent / "shared"))
    known = read_trace(FILE.read_text(encoding="utf-8"))
    sys.stdout.writelines(f"{line}\n" for line in table(known, rows_of_the_guide(shared)))
