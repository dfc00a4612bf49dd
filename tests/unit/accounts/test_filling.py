"""What was typed goes back to where it was typed, whatever the page is."""

import re

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from bars_portal.accounts.late_forms import fill

PAGE = """<!DOCTYPE html><html lang="en"><head><title>T</title>
<script nonce="n1">let a = 1 < 2;</script></head>
<body><main><h1>Caf\u00e9</h1>
<form method="get" action="/here/"><input name="line"></form>
<form method="post" action="/other/"><input name="line"></form>
<form method="post"><input name="line" value="old"></form>
<form method="post" novalidate>
 <input type="hidden" name="csrfmiddlewaretoken" value="new"><input type="hidden" name="rows" value="1">
 <input name="line" value="old"><input name="line"><input type="password" name="secret">
 <textarea name="area">old</textarea>
 <select name="one"><option value="">None</option>
 <option value="a" selected>A</option><option>b</option></select>
 <input type="radio" name="yes" value="y" checked><input type="radio" name="yes" value="n">
 <input type="checkbox" name="box" value="1" checked><input type="checkbox" name="box" value="2">
 <button name="send" value="1">Send</button>
</form></main></body></html>""".encode()
TYPED = (
    "csrfmiddlewaretoken=stolen&rows=2&line=first&line=%3Cb%3E&secret=x"
    "&area=%0D%0Atwo&one=b&yes=n&box=2&send=9"
)


def filled(typed: str, *, action: str = "/here/") -> tuple[str, html.HtmlElement]:
    page = fill(PAGE, "/here/", action, QueryDict(typed), notice="Typed <before>").decode()
    return page, html.document_fromstring(page)


def test_every_kind_of_control_is_as_it_was_typed() -> None:
    page, document = filled(TYPED)
    form = list(document.iter("form"))[3]
    assert dict(form.form_values()) == {
        "csrfmiddlewaretoken": "new",
        "rows": "2",
        "line": "<b>",
        "area": "\n\ntwo",
        "one": "b",
        "yes": "n",
        "box": "2",
    }
    assert [each.get("value") for each in form.iter("input") if each.get("name") == "line"] == [
        "first",
        "<b>",
    ]
    assert "stolen" not in page
    assert 'name="secret" value' not in page
    assert "Typed &lt;before&gt;" in page


def test_the_rest_of_the_page_stays() -> None:
    page, document = filled(TYPED)
    assert page.startswith("<!DOCTYPE html>")
    assert 'nonce="n1">let a = 1 < 2;</script>' in page
    assert "Caf\u00e9" in page
    assert [each.get("value") for each in document.iter("input") if each.get("name") == "line"] == [
        None,
        None,
        "old",
        "first",
        "<b>",
    ]


@pytest.mark.parametrize("typed", ["slot=3", "send=1", ""], ids=["no such field", "a button", "nothing"])
def test_a_page_without_its_fields_is_not_touched(typed: str) -> None:
    assert fill(PAGE, "/here/", "/here/", QueryDict(typed), notice="x") == PAGE


def test_a_form_to_another_address_is_found_by_it() -> None:
    page, _ = filled("line=new", action="/other/")
    assert re.search(r'action="/other/"><input name="line" value="new"', page)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_any_words_come_back(words: str) -> None:
    typed = QueryDict(mutable=True)
    typed["line"] = typed["area"] = words
    page = fill(PAGE, "/here/", "/here/", typed, notice="x").decode()
    document = html.document_fromstring(page)
    form = list(document.iter("form"))[3]
    assert [(each.text or "").removeprefix("\n") for each in form.iter("textarea")] == [words]
    assert words in [each.get("value") for each in form.iter("input")]


@pytest.mark.parametrize("sign", ["\0", "\x0b", "\x0c", "\x1b", "\ufffe"], ids=ascii)
@pytest.mark.parametrize("field", ["line", "area"])
def test_signs_that_no_page_can_hold_are_left_out(field: str, sign: str) -> None:
    """Word ends a line with U+000B, PDF a page with U+000C; both are pasted."""
    typed = QueryDict(mutable=True)
    typed[field] = f"before{sign}after"
    page = fill(PAGE, "/here/", "/here/", typed, notice="x").decode()
    assert "before after" in page
