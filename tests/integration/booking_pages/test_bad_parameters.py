"""Every parameter of every booking page with values that make no sense: plain words, nothing written."""

from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from bookings.models import Booking, BookingDraft
from directory.models import HealthcareService
from tests.factories.bookings import make_schedule
from tests.factories.directory import make_service
from tests.integration.booking_pages.conftest import Office, row_counts
from tests.integration.booking_pages.hostile import HOSTILE, SCRIPT
from tests.profiles import daily, share

DRAFT_PAGES = ("patient", "check", "rebook-confirm", "discard")
BOOKING_PAGES = ("detail", "status", "check-again", "told", "cancel", "rebook", "received")
OK = (200, 302, 400, 404, 409)
# None of them is a use case, whatever it is instead.
SOME = {"empty", "wrong", "null byte", "digits"}


def assert_harmless(response: Any, before: dict[str, int]) -> None:
    assert response.status_code in OK
    assert SCRIPT not in response.content
    assert row_counts() == before


@pytest.mark.parametrize(
    ("number", "name"),
    list(enumerate(["from", "draft", "instead", "first_day-day", "first_day-month", "first_day-year"])),
)
def test_the_times_page(office: Office, number: int, name: str) -> None:
    asked = {"first_day-day": "1", "first_day-month": "2", "first_day-year": "2027"}
    before = row_counts()
    for value in share([*HOSTILE.values()], number, of=6):
        parameters = {**asked, name: value} if name.startswith("first_day") else {name: value}
        assert_harmless(office.client.get(office.times_page, parameters), before)


@pytest.mark.parametrize("value", ["0001-01-01", "9999-12-31", "tomorrow"])
def test_a_day_out_of_reach_is_told_in_words_and_times_are_shown(office: Office, value: str) -> None:
    response = office.client.get(
        office.times_page, {"first_day-day": value, "first_day-month": "", "first_day-year": ""}
    )
    assert "Error:" in response.content.decode()
    assert office.chosen() in response.content.decode().replace("&#43;", "+")


@pytest.mark.parametrize(("number", "shape"), list(enumerate(["{}", "{}|{}", "known|{}"])))
def test_a_time_that_was_not_offered_is_never_taken(office: Office, number: int, shape: str) -> None:
    before = row_counts()
    for value in share([*HOSTILE.values()], number, of=6):
        slot = shape.replace("known", str(office.slots[0].pk)).replace("{}", value)
        response = office.client.post(office.times_page, {"slot": slot})
        assert_harmless(response, before)
        assert "That time is no longer free" in response.content.decode()


@pytest.mark.parametrize("kind", daily(HOSTILE, SOME.__contains__))
def test_an_unknown_booking_route_falls_back_to_one_that_the_service_accepts(
    office: Office, kind: str
) -> None:
    asked = {"slot": office.chosen(), "use_case": HOSTILE[kind]}
    response = office.client.post(office.times_page, asked)
    assert response.status_code in (302, 409)
    for draft in BookingDraft.objects.all():
        assert draft.use_case in office.service.accepted_use_cases


def test_the_service_of_the_times_page(office: Office) -> None:
    before = row_counts()
    for kind, value in HOSTILE.items():
        path = f"/bookings/services/{quote(value[:2000], safe='')}/times/"
        for response in (office.client.get(path), office.client.post(path, {"slot": office.chosen()})):
            assert response.status_code in (301, 404, 405), kind
            assert row_counts() == before, kind


@pytest.mark.parametrize(("number", "name"), list(enumerate(["status", "page"])))
def test_the_list(office: Office, booking: Booking, number: int, name: str) -> None:
    before = row_counts()
    for value in share([*HOSTILE.values()], number, of=4):
        assert_harmless(office.client.get(reverse("bookings:list"), {name: value}), before)


def diary_service(office: Office) -> HealthcareService:
    service = make_service(provider=office.acting.organisation)
    make_schedule(service=service)
    return service


@pytest.mark.parametrize(
    ("number", "name"), list(enumerate(["service", "on", "day-day", "day-month", "day-year"]))
)
def test_the_diary(office: Office, number: int, name: str) -> None:
    diary_service(office)
    before = row_counts()
    asked = {"day-day": "1", "day-month": "2", "day-year": "2027"} if name.startswith("day") else {}
    for value in share([*HOSTILE.values()], number, of=6):
        response = office.client.get(reverse("bookings:diary"), {**asked, name: value})
        assert_harmless(response, before)


@pytest.mark.parametrize("year", ["1", "1899", "1900", "2199", "9999", "10000"])
def test_a_diary_of_another_age(office: Office, year: str) -> None:
    diary_service(office)
    for day, month in (("1", "1"), ("31", "12")):
        asked = {"day-day": day, "day-month": month, "day-year": year}
        assert office.client.get(reverse("bookings:diary"), asked).status_code == 200


@pytest.mark.parametrize("page", [*DRAFT_PAGES, *BOOKING_PAGES])
def test_an_id_that_nobody_knows_is_not_found(office: Office, page: str) -> None:
    before = row_counts()
    address = reverse(f"bookings:{page}", args=[uuid4()])
    for response in (office.client.get(address), office.client.post(address)):
        assert response.status_code in (404, 405) or page == "received"
        assert response.status_code < 500
        assert row_counts() == before


@pytest.mark.parametrize(("number", "page"), list(enumerate([*DRAFT_PAGES, *BOOKING_PAGES])))
def test_an_id_that_is_none_is_not_found(office: Office, number: int, page: str) -> None:
    known = HOSTILE["unknown id"]
    for kind, value in share([*HOSTILE.items()], number, of=8):
        path = reverse(f"bookings:{page}", args=[known]).replace(known, quote(value[:2000], safe=""))
        for response in (office.client.get(path), office.client.post(path)):
            assert response.status_code in (200, 301, 403, 404, 405), kind


@pytest.mark.parametrize(("number", "name"), list(enumerate(["reason", "details"])))
def test_the_cancel_form(office: Office, number: int, name: str) -> None:
    booking = office.booked()
    for value in share([*HOSTILE.values()], number, of=4):
        with transaction.atomic():
            check_cancel_form(office, booking, name, value)
            transaction.set_rollback(True)


def check_cancel_form(office: Office, booking: Booking, name: str, value: str) -> None:
    before = row_counts()
    typed = {"reason": "patient", "details": "", name: value}
    response = office.client.post(reverse("bookings:cancel", args=[booking.pk]), typed)
    booking.refresh_from_db()
    assert SCRIPT not in response.content
    if response.status_code == 302:
        assert name == "details"
        assert booking.status == "cancelling"
        assert len(booking.cancel_reason) <= 300
        return
    assert response.status_code == 200
    assert 'class="nhsuk-error-summary"' in response.content.decode()
    assert booking.status == "booked"
    assert row_counts() == before


@pytest.mark.parametrize("which", ["status", "told", "check-again"])
def test_unexpected_fields_are_ignored(office: Office, booking: Booking, which: str) -> None:
    before = row_counts()
    sent = dict.fromkeys(("status", "patient_told_at", "reference", "organisation"), "x")
    response = office.client.post(reverse(f"bookings:{which}", args=[booking.pk]), sent)
    booking.refresh_from_db()
    assert response.status_code in (302, 405)
    assert (booking.status, row_counts()) == ("booked", before)


def test_times_for_a_booking_that_may_not_be_replaced_are_refused_in_words(
    office: Office, booking: Booking
) -> None:
    type(booking).objects.filter(pk=booking.pk).update(status="unknown")
    before = row_counts()
    response = office.client.post(
        f"{office.times_page}?instead={booking.pk}", {"slot": office.chosen(1)}, follow=True
    )
    assert response.status_code == 200
    assert "It is not known whether this appointment was booked" in response.content.decode()
    assert row_counts() == before


@pytest.mark.parametrize("path", ["patient", "check", "cancel", "told", "slots"])
def test_a_post_without_csrf_token_is_refused(office: Office, booking: Booking, path: str) -> None:
    draft = office.draft(answers={})
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(office.acting.user)
    of_booking, of_draft = path in ("cancel", "told"), path in ("patient", "check")
    key = booking.pk if of_booking else draft.pk if of_draft else office.service.service_id
    before = row_counts()
    response = strict.post(reverse(f"bookings:{path}", args=[key]), {"slot": office.chosen(1)})
    assert response.status_code == 403
    assert "This page was open for too long" in response.content.decode()
    assert row_counts() == before
