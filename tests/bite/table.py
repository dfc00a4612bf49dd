"""The deliberate faults: a table of texts and replacements, found anywhere in the product code."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("faults.toml")
_PRODUCT = ("bars_portal", "bookings", "directory", "referrals", "templates")
_SUFFIXES = frozenset({".py", ".jinja", ".html", ".csv", ".toml"})


class BadTable(Exception):
    """Rows that cannot be applied; one sentence each."""


@dataclass(frozen=True)
class Fault:
    """`find` is a part of one line of the product; it names no file, so that code may move."""

    kind: str
    why: str
    find: str
    replace: str
    tests: tuple[str, ...]

    def holds(self, text: str) -> bool:
        words = (self.kind, self.why, self.find, self.replace, *self.tests)
        return text.casefold() in "\n".join(words).casefold()


def read_table(file: Path = TABLE) -> list[Fault]:
    """Raises BadTable."""
    rows: list[dict[str, Any]] = tomllib.loads(file.read_text())["fault"]
    faults = [Fault(**row | {"tests": tuple(row["tests"])}) for row in rows]
    bad = [
        f"{each.why!r} changes nothing, has more than one line, or names no tests."
        for each in faults
        if each.find == each.replace or "\n" in each.find + each.replace or not (each.find and each.tests)
    ]
    if bad:
        raise BadTable("\n".join(bad))
    return faults


def places(root: Path, faults: list[Fault]) -> dict[Fault, Path]:
    """The file of each fault, relative to the root. Raises BadTable unless each is there exactly once."""
    texts = {file.relative_to(root): file.read_text() for file in _product(root)}
    found: dict[Fault, Path] = {}
    bad = []
    for fault in faults:
        holding = {file: times for file, text in texts.items() if (times := text.count(fault.find))}
        if sum(holding.values()) == 1:
            (found[fault],) = holding
        else:
            where = f" ({', '.join(map(str, holding))})" if holding else ""
            bad.append(f"{fault.why!r} matches {sum(holding.values())} times{where}: {fault.find}")
    if bad:
        raise BadTable("\n".join(bad))
    return found


def _product(root: Path) -> list[Path]:
    """Without migrations: the database of a run is made once, before the faults."""
    files = (file for package in _PRODUCT for file in (root / package).rglob("*"))
    return sorted(each for each in files if each.suffix in _SUFFIXES and "migrations" not in each.parts)
