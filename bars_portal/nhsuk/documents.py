"""Files for people: accessible PDF (PDF/UA-1: tagged, in order of reading, with language and title), and CSV.

Typst is a program in a wheel: no system library, no browser, no network (docs/adr/0021).
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import typst

# What the typefaces within Typst can show; tests/unit/nhsuk/test_pdf.py holds them to it.
SHOWN = (
    "\n\x20-\x7e\u00a0-\u024f"
    "\u0384-\u038a\u038e-\u03a1\u03a3-\u03ff\u0400-\u04ff"
    "\u1e00-\u1eff\u2010-\u2027\u2030-\u203a\u20a0-\u20bf\u2190-\u22ff"
)
_NOT_SHOWN = re.compile(f"[^{SHOWN}]")
BRACKETS = "Signs in brackets such as [U+65E5] cannot be printed here. The page in the portal shows them."


def render_pdf(template: Path, data: Any) -> bytes:
    """`data` is plain JSON; its texts are only ever text, whatever stands in them.

    The template reads it with `json(bytes(sys.inputs.data))`.
    """
    made: bytes = typst.compile(
        str(template),
        root=str(template.parent),
        sys_inputs={"data": json.dumps(_printable(data))},
        # Only those within Typst: every machine makes the same document.
        ignore_system_fonts=True,
        pdf_standards="ua-1",
    )
    return made


def printable(text: str) -> str:
    """Nothing is lost: what has no letter here is told by its number."""
    return _NOT_SHOWN.sub(lambda found: _told(found.group()), text.replace("\r\n", "\n").replace("\t", " "))


def has_signs_missing(text: str) -> bool:
    return printable(text) != text.replace("\r\n", "\n").replace("\t", " ")


def _told(sign: str) -> str:
    return f"[U+{ord(sign):04X}]"


def _printable(data: Any) -> Any:
    if isinstance(data, str):
        return printable(data)
    if isinstance(data, dict):
        return {name: _printable(value) for name, value in data.items()}
    return [_printable(each) for each in data] if isinstance(data, list | tuple) else data


# A spreadsheet runs a cell that begins so as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class _Echo:
    def write(self, line: str) -> str:
        return line


def csv_lines(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Line by line, so that a large file is never held; with the mark by which spreadsheets know UTF-8."""
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(columns)
    for row in rows:
        yield writer.writerow(map(harmless, row))


def harmless(cell: str) -> str:
    """The same text where no program takes it for a formula."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell
