"""Answers in the words of the page, for "check your answers"."""

from collections.abc import Iterator, Sequence
from datetime import date

from django.forms.boundfield import BoundField

from bars_portal.nhsuk.dates import format_date
from bars_portal.nhsuk.forms import DateField, HiddenField, RadiosField, SelectField
from referrals.forms.base import PartForm
from referrals.forms.concepts import ConceptField, in_words
from referrals.forms.reading import ReadStep

Rows = list[tuple[str, str]]


def summary_rows(read: ReadStep) -> Rows:
    """(label, value) of everything that was answered in a step; rows of a list are one line each."""
    rows = list(_answers(read.form))
    used = [row for row, is_used in zip(read.rows, read.used, strict=True) if is_used]
    for number, row in enumerate(used, start=1):
        name, answers = read.step.row_name.capitalize(), list(_answers(row))
        rows.append((f"{name} {number}" if len(used) > 1 else name, _in_one(answers) if answers else ""))
    return rows


def _in_one(rows: Sequence[tuple[str, str]]) -> str:
    """The first answer speaks for itself; others need their label."""
    (_, first), *others = rows
    return ". ".join([first, *(f"{label}: {value}" for label, value in others)])


def _answers(form: PartForm) -> Iterator[tuple[str, str]]:
    if not form.is_bound:
        return
    for name in form.fields:
        words = "" if name.endswith("_time") else _words(form, form[name])
        if words:
            yield str(form.fields[name].label), words


def _words(form: PartForm, bound: BoundField) -> str:
    """As it was typed, or the option that was chosen; a day with its time."""
    field, value = bound.field, bound.value()
    if isinstance(field, HiddenField):
        return ""
    if isinstance(field, DateField):
        return _day(form, bound.name)
    if isinstance(field, SelectField | RadiosField):
        return next((each.text for each in field.items if each.value and each.value == value), "")
    if isinstance(field, ConceptField):
        return in_words(str(value or "").strip(), field.codes)
    return str(value or "").strip()


def _day(form: PartForm, name: str) -> str:
    on = getattr(form, "cleaned_data", {}).get(name)
    if not isinstance(on, date):
        return ""
    at = form[f"{name}_time"].value() if f"{name}_time" in form.fields else ""
    return f"{format_date(on)} at {at}" if at else format_date(on)
