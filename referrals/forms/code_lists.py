"""Codes that the forms offer: those that are published, until an installation has lists of its own."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from referrals.code_file import CodeRow, ListName, read_codes
from referrals.forms.code_list import CodeList

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
