"""Documents: every letter that we say we can show is shown, text is never markup, nothing is lost."""

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from bars_portal.nhsuk.documents import SHOWN, has_signs_missing, printable, render_pdf

TEMPLATE = """
#let data = json(bytes(sys.inputs.data))
#set document(title: "Document")
#set text(lang: "en")
#data.words
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    made = tmp_path / "plain.typ"
    made.write_text(TEMPLATE)
    return made


def read(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


def test_every_sign_that_is_let_through_has_a_letter(template: Path) -> None:
    """PDF/UA refuses a document with a letter that no typeface has."""
    shown = re.compile(f"[{SHOWN}]")
    signs = [chr(code) for code in range(0x20, 0x3000) if shown.fullmatch(chr(code))]
    assert len(signs) > 1500
    render_pdf(template, {"words": " ".join(signs)})


@pytest.mark.parametrize(
    "words", ["#panic()", "*bold* _it_ $x$ [a] <b> @c", "= Heading", "/* gone */ // gone"]
)
def test_text_is_never_markup(template: Path, words: str) -> None:
    assert words in read(render_pdf(template, {"words": words}))


def test_what_has_no_letter_is_told_by_its_number(template: Path) -> None:
    assert printable("日 Łódź\x00\r\n\tend") == "[U+65E5] Łódź[U+0000]\n end"
    assert "Name [U+65E5]" in read(render_pdf(template, {"words": "Name 日"}))
    assert has_signs_missing("日")
    assert not has_signs_missing("Zoë O’Neil\r\n")


def test_it_is_tagged_and_says_its_language_and_title(template: Path) -> None:
    reader = PdfReader(BytesIO(render_pdf(template, {"words": "Text"})))
    root: Any = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert "/StructTreeRoot" in root
    assert reader.metadata is not None
    assert reader.metadata.title == "Document"
