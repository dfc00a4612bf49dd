from datetime import date

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.nhsuk.forms import DateField, NHSForm
from bars_portal.nhsuk.forms.dates import DateParts

LIMIT = date(2026, 7, 14)


def _field() -> DateField:
    return DateField(
        label="Date of birth", latest=lambda: LIMIT, too_late="Date of birth must be in the past"
    )


class Born(NHSForm):
    born = _field()


@pytest.mark.parametrize(
    ("parts", "day"),
    [
        (("14", "7", "1945"), date(1945, 7, 14)),
        (("014", "07", "1945"), date(1945, 7, 14)),
        (("14", "Jul", "1945"), date(1945, 7, 14)),
        (("14", "JULY", "1945"), date(1945, 7, 14)),
        (("29", "2", "2024"), date(2024, 2, 29)),
    ],
)
def test_dates_as_people_write_them(parts: tuple[str, str, str], day: date) -> None:
    assert _field().clean(DateParts(*parts)) == day


@pytest.mark.parametrize(
    ("parts", "words", "wrong"),
    [
        (("", "", ""), "Enter date of birth", ("day", "month", "year")),
        (("", "7", "1945"), "Date of birth must include a day", ("day",)),
        (("14", "", ""), "Date of birth must include a month and a year", ("month", "year")),
        (("31", "2", "1945"), "Date of birth must be a real date", ("day",)),
        (("14", "13", "1945"), "Date of birth must be a real date", ("month",)),
        (("0", "7", "1945"), "Date of birth must be a real date", ("day",)),
        (("14", "Jux", "1945"), "Date of birth must be a real date", ("month",)),
        (("-1", "7", "1945"), "Date of birth must be a real date", ("day",)),
        (("²", "7", "1945"), "Date of birth must be a real date", ("day",)),
        (("14", "7", "9" * 5000), "Date of birth must be a real date", ("year",)),
        (("14", "7", "45"), "Year of date of birth must have 4 numbers, like 1984", ("year",)),
        (("14", "7", "1066"), "Date of birth must be on or after 1 January 1900", ("year",)),
        (("14", "7", "2027"), "Date of birth must be in the past", ("year",)),
        (("15", "7", "2026"), "Date of birth must be in the past", ("day", "month", "year")),
    ],
)
def test_refusals_name_the_wrong_part(
    parts: tuple[str, str, str], words: str, wrong: tuple[str, ...]
) -> None:
    with pytest.raises(ValidationError) as raised:
        _field().clean(DateParts(*parts))
    assert raised.value.messages == [words]
    assert raised.value.params == {"parts": wrong}


def test_the_summary_leads_to_the_wrong_part_and_what_was_typed_stays() -> None:
    form = Born({"born-day": "31", "born-month": "Juxx", "born-year": "<1945>"})
    assert form.summary() == [("Date of birth must be a real date", "#id_born-month")]
    html = str(form)
    assert 'value="Juxx"' in html
    assert "&lt;1945&gt;" in html


def test_an_initial_date_fills_three_fields() -> None:
    html = str(Born(initial={"born": date(1945, 7, 14)}))
    assert all(f'value="{part}"' in html for part in ("14", "7", "1945"))


def test_an_optional_date_may_be_left_out() -> None:
    assert DateField(label="Until", required=False).clean(DateParts()) is None


@given(st.builds(DateParts, *[st.text(max_size=25)] * 3))
def test_any_three_texts_are_a_date_or_refused(parts: DateParts) -> None:
    try:
        day = _field().clean(parts)
    except ValidationError as refused:
        assert set((refused.params or {})["parts"]) <= {"day", "month", "year"}
    else:
        assert day is not None
        assert date(1900, 1, 1) <= day <= LIMIT


@given(st.dates(min_value=date(1900, 1, 1), max_value=LIMIT))
def test_what_the_widget_shows_is_read_back(day: date) -> None:
    field = _field()
    assert field.clean(field.prepare_value(day)) == day
