"""The patient form field by field: what was typed is kept, errors are plain words, nothing half-written."""

from html import unescape

import pytest
from django.urls import reverse

from bookings.models import BookingDraft
from tests.integration.booking_pages.conftest import ANSWERS, Office, row_counts
from tests.integration.booking_pages.hostile import HOSTILE, JARGON, SCRIPT
from tests.profiles import share


def errors_in(content: str) -> str:
    """The error summary's words, "" when there is none."""
    _, _, rest = content.partition('class="nhsuk-error-summary"')
    return unescape(rest.partition("</ul>")[0])


def told(office: Office, draft: BookingDraft, answers: dict[str, str]) -> str:
    """The same page again, which the back button can show too."""
    address = reverse("bookings:patient", args=[draft.pk])
    response = office.client.post(address, answers)
    assert response["Location"] == address
    return office.client.get(address).content.decode()


@pytest.mark.parametrize(("number", "name"), list(enumerate([*ANSWERS, "test_patient", "unknown_field"])))
def test_any_value_in_any_field(office: Office, number: int, name: str) -> None:
    draft = office.draft()
    before = row_counts()
    address = reverse("bookings:patient", args=[draft.pk])
    for kind, value in share([*HOSTILE.items()], number, of=12):
        target = office.client.post(address, {**ANSWERS, name: value})["Location"]
        content = office.client.get(target).content.decode()
        assert SCRIPT.decode() not in content, kind
        assert row_counts() == before, kind
        if target == address and name != "test_patient":
            assert errors_in(content), kind
            assert not any(word in errors_in(content) for word in JARGON), kind


@pytest.mark.parametrize("name", ["birth_date-year", "phone", "gender"])
def test_an_empty_field_is_told_and_the_others_are_kept(office: Office, name: str) -> None:
    draft = office.draft()
    content = unescape(told(office, draft, {**ANSWERS, name: ""}))
    assert errors_in(content)
    for kept in {"Quill", "Ada Mary", "1945", "07700 900123"} - {ANSWERS[name]}:
        assert f'value="{kept}"' in content


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"birth_date-month": "13"}, "Date of birth must be a real date"),
        ({"birth_date-year": "2999"}, "Date of birth must be today or in the past"),
        ({"nhs_number": "9449306622"}, "NHS number"),
        ({"phone": "12"}, "phone number"),
        ({"postcode": "ZZZ"}, "postcode"),
        ({"email": "ada"}, "Enter an email address in the right form"),
        ({"call_back": "somebody_else"}, "Select who they are to the patient"),
    ],
    ids=["month", "future", "check digit", "phone", "postcode", "email", "contact"],
)
def test_what_is_wrong_is_said(office: Office, changes: dict[str, str], sentence: str) -> None:
    draft = office.draft()
    assert sentence in errors_in(told(office, draft, {**ANSWERS, **changes}))


def test_an_empty_form_names_each_missing_answer(office: Office) -> None:
    draft = office.draft()
    content = told(office, draft, {})
    assert "<title>Error: " in content.replace("\n", "").replace("<title >", "<title>")
    for sentence in (
        "Enter family name or first names",
        "Enter date of birth",
        "Enter a call-back phone number",
    ):
        assert sentence in errors_in(content)


def test_only_answers_of_the_form_are_kept(office: Office) -> None:
    draft = office.draft()
    typed = {**ANSWERS, "unknown_field": "x" * 1000}
    office.client.post(reverse("bookings:patient", args=[draft.pk]), typed)
    kept = BookingDraft.objects.get().patient_data
    assert "unknown_field" not in kept
    assert "csrfmiddlewaretoken" not in kept


@pytest.mark.parametrize("answers", [{}, {**ANSWERS, "phone": ""}], ids=["nothing", "half"])
def test_an_unfinished_patient_cannot_be_booked(office: Office, answers: dict[str, str]) -> None:
    draft = office.draft(answers=answers)
    before = row_counts()
    response = office.client.post(reverse("bookings:check", args=[draft.pk]))
    assert response["Location"] == reverse("bookings:patient", args=[draft.pk])
    assert row_counts() == before
