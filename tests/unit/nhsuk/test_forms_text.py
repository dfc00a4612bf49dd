from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.nhsuk.forms import HiddenField, NHSForm, PasswordField, TextareaField, TextField
from bars_portal.nhsuk.forms.fields import has_control_characters


class Texts(NHSForm):
    name = TextField(label="Family name", max_length=20)
    notes = TextareaField(label="Notes", max_length=30, required=False)
    token = HiddenField(required=False, max_length=5)
    secret = PasswordField(label="Password", required=False)


def _errors(**data: Any) -> dict[str, list[str]]:
    return {
        name: [str(error) for error in errors]
        for name, errors in Texts({"name": "Smith", **data}).errors.items()
    }


@pytest.mark.parametrize(
    ("data", "field", "words"),
    [
        ({"name": ""}, "name", "Enter family name"),
        ({"name": "   "}, "name", "Enter family name"),
        ({"name": "x" * 21}, "name", "Family name must be 20 characters or fewer"),
        ({"name": "x" * 1_000_000}, "name", "Family name must be 20 characters or fewer"),
        ({"name": "a\x00b"}, "name", "Family name contains characters that cannot be used"),
        ({"name": "a\x1b[2Jb"}, "name", "Family name contains characters that cannot be used"),
        ({"name": "a\nb"}, "name", "Family name contains characters that cannot be used"),
        ({"name": "evil\u202etxt"}, "name", "Family name contains characters that cannot be used"),
        ({"notes": "a\x00b"}, "notes", "Notes contains characters that cannot be used"),
        ({"notes": "x" * 31}, "notes", "Notes must be 30 characters or fewer"),
        ({"token": "123456"}, "token", "This page must be 5 characters or fewer"),
    ],
)
def test_refusals_in_words(data: dict[str, str], field: str, words: str) -> None:
    assert _errors(**data) == {field: [words]}


@pytest.mark.parametrize(
    "name", ["O'Brien", "Ó Séaghdha-Łukasz", "محمد", "李小龙", "<script>", "Robert'); --"]
)
def test_names_of_all_kinds_are_kept_as_typed(name: str) -> None:
    form = Texts({"name": f"  {name} "})
    assert form.is_valid()
    assert form.cleaned_data["name"] == name


def test_lines_arrive_in_one_spelling() -> None:
    form = Texts({"name": "Smith", "notes": "one\r\ntwo\rthree"})
    assert form.is_valid()
    assert form.cleaned_data["notes"] == "one\ntwo\nthree"


def test_a_password_is_not_stripped_and_never_shown_again() -> None:
    form = Texts({"name": "", "secret": " pass word "})
    assert not form.is_valid()
    assert form.cleaned_data["secret"] == " pass word "
    assert "pass word" not in str(form)


def test_what_was_typed_comes_back_escaped() -> None:
    form = Texts({"name": '"><script>alert(1)</script>'})
    assert not form.is_valid()
    assert "<script>" not in str(form)
    assert "&lt;script&gt;" in str(form)


@given(st.text(max_size=200))
def test_any_text_is_judged_without_a_fault(text: str) -> None:
    form = Texts({"name": text, "notes": text, "token": text})
    form.is_valid()
    assert not any(
        has_control_characters(str(value), allow_lines=True) for value in form.cleaned_data.values()
    )
