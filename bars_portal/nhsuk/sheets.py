"""Files for spreadsheets (CSV)."""

import csv
from collections.abc import Iterable, Iterator, Sequence

# A spreadsheet runs a cell that begins so as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class _Echo:
    def write(self, line: str) -> str:
        return line


def csv_lines(columns: Sequence[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Line by line, so that a large file is never held; with the mark by which spreadsheets know UTF-8."""
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(columns)
    for row in rows:
        yield writer.writerow(map(harmless, row))


def harmless(cell: str) -> str:
    """The same text where no program takes it for a formula."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell
