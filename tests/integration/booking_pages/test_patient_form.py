"""The patient form field by field: what was typed is kept, errors are plain words, nothing half-written."""

from html import unescape

import pytest
from django.urls import reverse

from bookings.models import BookingDraft
from tests.integration.booking_pages.conftest import ANSWERS, Office, row_counts
from tests.integration.booking_pages.hostile import HOSTILE, JARGON, SCRIPT


def errors_in(content: str) -> str:
    """The error summary's words, "" when there is none."""
    _, _, rest = content.partition('class="nhsuk-error-summary"')
    return unescape(rest.partition("</ul>")[0])


@pytest.mark.parametrize("name", [*ANSWERS, "test_patient", "unknown_field"])
def test_any_value_in_any_field(office: Office, name: str) -> None:
    draft = office.draft()
    before = row_counts()
    address = reverse("bookings:patient", args=[draft.pk])
    for kind, value in HOSTILE.items():
        response = office.client.post(address, {**ANSWERS, name: value})
        content = response.content.decode()
        assert response.status_code in (200, 302), kind
        assert SCRIPT not in response.content, kind
        assert row_counts() == before, kind
        if response.status_code == 302:
            assert SCRIPT not in office.client.get(response["Location"]).content, kind
        elif name != "test_patient":
            assert errors_in(content), kind
            assert not any(word in errors_in(content) for word in JARGON), kind


@pytest.mark.parametrize("name", ["family_name", "given_names", "birth_date-year", "phone", "gender"])
def test_an_empty_field_is_told_and_the_others_are_kept(office: Office, name: str) -> None:
    draft = office.draft()
    response = office.client.post(reverse("bookings:patient", args=[draft.pk]), {**ANSWERS, name: ""})
    content = unescape(response.content.decode())
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
    response = office.client.post(reverse("bookings:patient", args=[draft.pk]), {**ANSWERS, **changes})
    assert sentence in errors_in(response.content.decode())


def test_an_empty_form_names_each_missing_answer(office: Office) -> None:
    draft = office.draft()
    response = office.client.post(reverse("bookings:patient", args=[draft.pk]), {})
    content = response.content.decode()
    assert "<title>Error: " in content.replace("\n", "").replace("<title >", "<title>")
    for sentence in ("Enter family name", "Enter first names", "Enter a call-back phone number"):
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
