"""What a page has by the dozen is drawn by templates of ours, to the letter as the components draw it."""

from typing import Any

import pytest
from django.http import QueryDict
from django.template import engines

from bars_portal.nhsuk.forms import NHSForm, Option, SelectField

COLOURS = {
    "neutral": "grey",
    "done": "green",
    "working": "blue",
    "waiting": "yellow",
    "attention": "orange",
    "failed": "red",
    "unheard of": "grey",
}
_SELECT = (
    '{% from "nhsuk/components/select/macro.jinja" import select %}{{ select(field_params(form["kind"])) }}'
)


def drawn(source: str, **values: Any) -> str:
    """Line by line: between elements a browser shows no blank."""
    text = engines["jinja2"].from_string(source).render(values)
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


@pytest.mark.parametrize("tone", COLOURS)
@pytest.mark.parametrize("text", ["Booked", "Ben & <Jerry>"])
def test_a_tag(tone: str, text: str) -> None:
    ours = '{% from "components/status.jinja" import status_tag %}{{ status_tag(text, tone) }}'
    theirs = (
        '{% from "nhsuk/components/tag/macro.jinja" import tag %}{{ tag({"text": text, "colour": colour}) }}'
    )
    told = drawn(ours, text=text, tone=tone)
    assert told == drawn(theirs, text=text, colour=COLOURS[tone])
    assert f"nhsuk-tag--{COLOURS[tone]}" in told


@pytest.mark.parametrize("hint", ["", "Of the <service>"])
@pytest.mark.parametrize("size", ["", "m"])
@pytest.mark.parametrize("query", ["", "kind=b%26", "kind=nothing"])
def test_a_select(hint: str, size: str, query: str) -> None:
    class Chosen(NHSForm):
        kind = SelectField(
            label="Kind & way",
            options=[("", "Any"), Option("a", "First"), ("b&", "Other <one>")],
            hint=hint,
            label_size=size,
        )

    form = Chosen(QueryDict(query) if query else None)
    ours, theirs = drawn("{{ form['kind'].as_field_group() }}", form=form), drawn(_SELECT, form=form)
    assert ours == theirs
    assert ours.count("<option") == 3
    assert ("nhsuk-select--error" in ours) == (query == "kind=nothing")
