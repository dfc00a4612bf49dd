"""The patient form: every field with empty, wrong, hostile and huge values."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.test import override_settings

from bars_portal.nhsuk.words import banner_name
from bars_portal.patients.details import ContactDetails, PatientDetails, Telecom
from bars_portal.patients.forms import PatientForm
from bars_portal.patients.typed import answers_from

TODAY = date(2026, 7, 14)
HUGE = "9" * 100_000
SCRIPT = "<script>alert(1)</script>"
RTL = "Ann\u202egnp.exe"
WHOLE = {
    "family_name": "Quill",
    "given_names": "Ada  Mary",
    "title": "Mrs",
    "birth_date-day": "14",
    "birth_date-month": "7",
    "birth_date-year": "1945",
    "gender": "female",
    "nhs_number": "944 930 6621",
    "traced_in": "PDS",
    "address_line_1": "1 Sample Row",
    "town": "Leeds",
    "postcode": "ls14ap",
    "call_back": "patient",
    "phone": "07700 900123",
    "second_phone": "0113 496 0000",
    "email": "ada@example.org",
}
DETAILS = PatientDetails(
    nhs_number="9449306621",
    nhs_number_verified=True,
    prefix="Mrs",
    given_names="Ada Mary",
    family_name="Quill",
    gender="female",
    birth_date=date(1945, 7, 14),
    address_lines=("1 Sample Row", "Leeds"),
    city="Leeds",
    postcode="LS1 4AP",
    contacts=(
        ContactDetails(
            "ONESELF",
            telecoms=(
                Telecom("phone", "+447700900123", "mobile"),
                Telecom("phone", "+441134960000", "home"),
                Telecom("email", "ada@example.org", "home"),
            ),
        ),
    ),
)


def fill(**changes: Any) -> PatientForm:
    answers = {**WHOLE, **{name.replace("__", "-"): value for name, value in changes.items()}}
    return PatientForm({name: value for name, value in answers.items() if value is not None}, today=TODAY)


def test_a_whole_patient() -> None:
    form = fill()
    assert form.is_valid(), form.errors
    assert form.to_details() == DETAILS


def test_what_may_be_left_out() -> None:
    optional = ("title", "nhs_number", "traced_in", "address_line_1", "town", "postcode")
    form = fill(**dict.fromkeys((*optional, "second_phone", "email")))
    assert form.is_valid(), form.errors
    details = form.to_details()
    assert (details.nhs_number, details.address_lines, len(details.contacts[0].telecoms)) == ("", (), 1)


def test_somebody_else_to_call_back() -> None:
    form = fill(call_back="somebody_else", contact_relationship="FRND", contact_family_name="Reed")
    assert form.is_valid(), form.errors
    contact = form.to_details().contacts[0]
    assert (contact.relationship, contact.family_name) == ("FRND", "Reed")


def test_what_was_typed_about_somebody_else_counts_only_for_them() -> None:
    form = fill(call_back="patient", contact_relationship="FRND", contact_family_name="Reed")
    assert form.is_valid()
    assert form.to_details() == DETAILS


# One name is a whole name: neither of the two is missing alone.
MISSING = [
    ("gender", "Select gender"),
    ("call_back", "Select who should be called back"),
    ("phone", "Enter a call-back phone number"),
]


@pytest.mark.parametrize(("field", "sentence"), MISSING)
@pytest.mark.parametrize("nothing", [None, "", "   "])
def test_missing(field: str, sentence: str, nothing: str | None) -> None:
    form = fill(**{field: nothing})
    expected = "Select gender" if field == "gender" else sentence
    assert form.errors[field][0] == expected


WRONG = [
    ("nhs_number", "944 930 6622", "Check the NHS number"),
    ("nhs_number", "12345", "10 numbers long"),
    ("nhs_number", "94493O6621", "only contain numbers"),
    ("nhs_number", "401 023 2137", "Enter a test NHS number"),
    ("nhs_number", "", "Enter the NHS number that was traced"),
    ("gender", "woman", "Select gender"),
    ("postcode", "LS1", "full UK postcode"),
    ("postcode", "LEEDS", "full UK postcode"),
    ("phone", "12", "Enter a call-back phone number like"),
    ("phone", "call me", "Enter a call-back phone number like"),
    ("second_phone", "07700 900123 option 5", "Enter a second phone number like"),
    ("email", "ada", "right form"),
    ("email", "ada@@example.org", "right form"),
    ("email", "ada@example.org\nBcc: x@example.org", "characters that cannot be used"),
    ("call_back", "nobody", "Select who should be called back"),
    ("contact_relationship", "ONESELF", "Select who they are"),
    ("contact_relationship", "KING", "Select who they are"),
]


@pytest.mark.parametrize(("field", "value", "sentence"), WRONG)
def test_wrong(field: str, value: str, sentence: str) -> None:
    form = fill(**{field: value})
    assert sentence in form.errors[field][0]


DATES = [
    ("30", "2", "1945", "real date"),
    ("x", "7", "1945", "real date"),
    ("14", "7", "45", "4 numbers"),
    ("15", "7", "2026", "today or in the past"),
    ("1", "1", "1899", "on or after 1 January 1900"),
    ("14", "", "1945", "must include a month"),
    ("", "7", "", "must include a day and a year"),
    ("", "13", "1945", "real date"),
    ("", "", "45", "4 numbers"),
    ("", "8", "2026", "today or in the past"),
    ("", "", "2027", "today or in the past"),
    ("", "", "1899", "on or after 1 January 1900"),
    ("", "", "", "Enter date of birth"),
    (HUGE, "7", "1945", "real date"),
    (SCRIPT, "\x00", RTL, "real date"),
    ("٣", "7", "1945", "real date"),
]


@pytest.mark.parametrize(("day", "month", "year", "sentence"), DATES)
def test_wrong_dates(day: str, month: str, year: str, sentence: str) -> None:
    form = fill(birth_date__day=day, birth_date__month=month, birth_date__year=year)
    assert sentence in form.errors["birth_date"][0]


@pytest.mark.parametrize(
    ("month", "year", "known"), [("", "1945", "1945"), ("7", "1945", "1945-07"), ("july", "2026", "2026-07")]
)
def test_a_birth_date_is_taken_as_far_as_it_is_known(month: str, year: str, known: str) -> None:
    form = fill(birth_date__day="", birth_date__month=month, birth_date__year=year)
    assert form.is_valid(), form.errors
    details = form.to_details()
    assert (details.birth_date, details.birth_partly) == (None, known)
    again = PatientForm(answers_from(details), today=TODAY)
    assert again.is_valid(), again.errors
    assert again.to_details().born == known


@pytest.mark.parametrize("only", ["family_name", "given_names"])
def test_one_name_is_enough(only: str) -> None:
    form = fill(**{"family_name": "", "given_names": "", only: "Prince"})
    assert form.is_valid(), form.errors
    assert banner_name(form.to_details()) == ("PRINCE (Mrs)" if only == "family_name" else "Prince (Mrs)")


def test_an_unknown_patient_is_one_who_is_said_to_be_unknown() -> None:
    nothing: dict[str, Any] = {
        "family_name": "",
        "given_names": "",
        "title": "",
        "gender": "unknown",
        "nhs_number": "",
    }
    nothing |= dict.fromkeys(("birth_date__day", "birth_date__month", "birth_date__year"), "")
    nothing |= {"traced_in": None, "postcode": "ZZ99 3VZ"}
    assert set(fill(**nothing).errors) == {"family_name", "birth_date"}
    form = fill(**nothing, identity_unknown="on")
    assert form.is_valid(), form.errors
    details = form.to_details()
    assert (details.family_name, details.born, details.gender) == ("", "", "unknown")
    assert PatientForm(answers_from(details), today=TODAY).is_valid(), "a known patient is taken over"


@pytest.mark.parametrize("died", ["true", "2026", "2026-03-01T10:00:00+00:00"])
def test_that_a_patient_has_died_is_taken_over(died: str) -> None:
    form = PatientForm(answers_from(replace(DETAILS, died=died)), today=TODAY)
    assert form.is_valid(), form.errors
    assert form.to_details().died == died
    ticked = fill(has_died="on")
    assert ticked.is_valid()
    assert ticked.to_details().died == "true"


def test_who_is_called_back_may_be_nobody_of_the_list() -> None:
    words = {"call_back": "somebody_else", "contact_words": "Warden", "contact_family_name": "Reed"}
    form = fill(**words)
    assert form.is_valid(), form.errors
    contact = form.to_details().contacts[0]
    assert (contact.relationship, contact.relationship_text) == ("", "Warden")
    again = PatientForm(answers_from(form.to_details()), today=TODAY)
    assert again.is_valid(), again.errors
    assert again.to_details().contacts[0].relationship_text == "Warden", "never the patient themselves"


def test_a_foreign_code_stands_with_the_town() -> None:
    answers = answers_from(replace(DETAILS, address_lines=("1 Rue", "Paris"), postcode="75001"))
    assert (answers["town"], answers["postcode"]) == ("Paris 75001", "")


def test_a_child_born_today_has_a_birth_date() -> None:
    assert fill(birth_date__day="14", birth_date__month="7", birth_date__year="2026").is_valid()


HOSTILE = {"huge": HUGE, "null": "a\x00b", "reordering": RTL, "half": "\ud800", "escape": "a\x1bb"}
TICKED = {"identity_unknown", "has_died"}
TYPED = [name for name in PatientForm.base_fields if name not in {"birth_date", *TICKED}]


@pytest.mark.parametrize("field", TYPED)
@pytest.mark.parametrize(
    "value", [HUGE, "a\x00b", RTL, "\ud800", "a\x1bb"], ids=["huge", "nul", "rtl", "half", "esc"]
)
def test_hostile_values_are_refused_in_every_field(field: str, value: str) -> None:
    form = fill(**{"call_back": "somebody_else", "contact_relationship": "FRND", field: value})
    assert field in form.errors
    assert value not in form.errors[field][0]


@pytest.mark.parametrize("field", ["family_name", "given_names", "title", "address_line_1", "town"])
def test_markup_and_quotes_are_text(field: str) -> None:
    for text in (SCRIPT, "O'Neil; DROP TABLE patients", "{{ 7 * 7 }}", "أحمد", "Zoë 🙂"):
        form = fill(**{field: text})
        if len(text) <= (form.fields[field].max_length or 0):  # type: ignore[attr-defined]  # a text field
            assert form.is_valid(), form.errors
            assert form.cleaned_data[field] == text


def test_somebody_else_needs_a_name_and_a_relationship() -> None:
    form = fill(call_back="somebody_else")
    assert set(form.errors) == {"contact_relationship", "contact_family_name"}


def test_an_empty_post_names_every_required_field_once() -> None:
    form = PatientForm({}, today=TODAY)
    assert set(form.errors) == {"family_name", "birth_date", "gender", "call_back", "phone"}


@pytest.mark.parametrize(
    ("policy", "number", "valid"),
    [
        ("real", "4010232137", True),
        ("real", "9449306621", False),
        ("synthetic", "4010232137", False),
        ("synthetic", "9449306621", True),
    ],
)
def test_the_environment_says_whose_numbers_count(policy: str, number: str, valid: bool) -> None:
    with override_settings(NHS_NUMBER_POLICY=policy):
        assert fill(nhs_number=number).is_valid() is valid


def test_known_details_fill_the_form() -> None:
    initial = PatientForm.initial_from(DETAILS)
    page = str(PatientForm(today=TODAY, initial=initial)["family_name"].value())
    assert page == "Quill"
    answers = {name: value for name, value in initial.items() if name != "birth_date" and value}
    form = fill(**answers)
    assert form.is_valid(), form.errors
    assert form.to_details() == DETAILS


@pytest.mark.parametrize("lines", [(), ("a",), ("a", "b"), ("a", "b", "c"), ("a", "b", "c", "d")])
def test_any_number_of_address_lines_fits_the_form(lines: tuple[str, ...]) -> None:
    initial = PatientForm.initial_from(PatientDetails(address_lines=lines))
    parts = (initial["address_line_1"], initial["address_line_2"], initial["town"])
    assert ", ".join(part for part in parts if part) == ", ".join(lines)
