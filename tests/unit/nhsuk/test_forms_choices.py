from typing import Any

import pytest
from django.http import QueryDict

from bars_portal.nhsuk.forms import (
    CheckboxesField,
    ConfirmField,
    NHSForm,
    NHSNumberField,
    Option,
    RadiosField,
    SelectField,
)

OFFERED = [Option("a", "First")]


class Choices(NHSForm):
    known = RadiosField(
        label="Is it known?",
        options=[("yes", "Yes"), Option("no", "No", hint="Go on without", divider="or")],
        conditional={"yes": "number"},
    )
    number = NHSNumberField(required=False)
    kind = SelectField(label="Kind", options=lambda: OFFERED, empty_text="Any", required=False)
    ways = CheckboxesField(label="Ways", options=[("x", "Phone"), ("y", "Visit")], required=False)
    told = ConfirmField(label="Told", missing="Tick when told")


def _form(query: str) -> Choices:
    return Choices(QueryDict(query))


def test_answers_are_cleaned_to_their_values() -> None:
    form = _form("known=yes&kind=a&ways=x&ways=y&told=on")
    assert form.is_valid()
    assert form.cleaned_data == {"known": "yes", "number": "", "kind": "a", "ways": ["x", "y"], "told": True}


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("told=on", "known", "Select an answer"),
        ("told=on&known=maybe", "known", "Select an answer"),
        ("told=on&known=%00", "known", "Select an answer"),
        ("told=on&known=no&kind=zzz", "kind", "Select kind"),
        ("told=on&known=no&ways=q", "ways", "Select ways"),
        ("known=no", "told", "Tick when told"),
    ],
)
def test_refusals_in_words(query: str, field: str, words: str) -> None:
    assert {name: list(errors) for name, errors in _form(query).errors.items()} == {field: [words]}


def test_the_answer_comes_back_chosen() -> None:
    html = str(_form("known=no&ways=y&kind=a"))
    for value in ('value="no" checked', 'value="y" checked', 'value="a" selected'):
        assert value in html
    assert 'value="yes" checked' not in html


def test_a_nested_field_is_drawn_once_under_its_answer() -> None:
    html = str(Choices())
    assert html.count('name="number"') == 1
    assert html.index('value="yes"') < html.index('name="number"') < html.index('value="no"')


def test_options_from_a_function_are_read_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.OFFERED", [Option("b", "Second")])
    assert _form("known=no&told=on&kind=b").is_valid()


def test_errors_of_the_whole_form_have_no_link() -> None:
    form = _form("known=no&told=on")
    form.add_error(None, "This time has just been taken")
    form.add_error("number", "Enter the NHS number")
    assert form.summary() == [("Enter the NHS number", "#id_number"), ("This time has just been taken", "")]


@pytest.mark.parametrize("prefix", [None, "second"])
def test_field_errors_are_tied_to_their_inputs(prefix: str | None) -> None:
    arguments: dict[str, Any] = {"prefix": prefix} if prefix else {}
    form = Choices({}, **arguments)
    assert not form.is_valid()
    ids = [item.href.removeprefix("#") for item in form.summary()]
    assert all(f'id="{one}"' in str(form) for one in ids)
    assert f'aria-describedby="{ids[0]}-error"' in str(form)
