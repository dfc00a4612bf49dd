"""Bookings and referrals that go together: shown on both pages, told by the message or by a person."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import Role
from bars_portal.audit.models import AuditEvent
from bars_portal.correspondence.states import Direction
from bars_portal.patients.models import Patient
from bookings.models import Booking
from bookings.states import BookingStatus
from directory.models import HealthcareService
from referrals.cases.links import is_same_person
from referrals.cases.models import BookingLink, Case
from referrals.cases.states import CaseStatus, Category
from tests.factories.accounts import make_acting, make_organisation
from tests.factories.bookings import make_booking
from tests.factories.patients import DETAILS, make_patient
from tests.factories.referrals import make_case, make_hub
from tests.integration.referral_pages.conftest import client_of, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def here() -> HealthcareService:
    return make_hub(provider=make_organisation(name="Riverside"), takes_bookings=True)


@pytest.fixture
def acting(here: HealthcareService) -> Acting:
    return make_acting(organisation=here.provider)


@pytest.fixture
def client(acting: Acting) -> Client:
    return client_of(acting)


@pytest.fixture
def referral(here: HealthcareService) -> Case:
    return make_case(service=here, reference="REF-1")


def booking(here: HealthcareService, **changes: Any) -> Booking:
    fields = {"reference": "BOOK-1", **changes}
    return make_booking(service=here, direction=Direction.RECEIVED, **fields)


def case_page(referral: Case) -> str:
    return reverse("referrals:received", args=[referral.pk])


def booking_page(made: Booking) -> str:
    return reverse("bookings:received", args=[made.pk])


def link_page(referral: Case) -> str:
    return reverse("referrals:link-booking", args=[referral.pk])


def test_what_the_message_names_is_on_both_pages(client: Client, here: HealthcareService) -> None:
    made = booking(here)
    referral = make_case(service=here, reference="REF-2", booking_ids=[made.pk])
    assert booking_page(made) in words(client.get(case_page(referral)))
    shown = words(client.get(booking_page(made)))
    assert case_page(referral) in shown
    assert "REF-2" in shown


def test_a_person_links_them_and_undoes_it(client: Client, here: HealthcareService, referral: Case) -> None:
    made, another = (
        booking(here),
        make_patient(details=replace(DETAILS, family_name="Other"), organisation=here.provider),
    )
    stranger = booking(here, patient=another, reference="BOOK-2")
    assert "None that we know of" in words(client.get(case_page(referral)))
    offered = words(client.get(link_page(referral)))
    assert str(made.pk) in offered
    assert str(stranger.pk) not in offered
    assert "Select one" in words(client.post(link_page(referral), {"chosen": ""}))
    for _ in range(2):
        # The second press finds that it is not offered any more.
        client.post(link_page(referral), {"chosen": str(made.pk)})
    assert BookingLink.objects.count() == 1
    assert (
        AuditEvent.objects.filter(action="referrals.link_booking", subject_id=str(referral.pk)).count() == 1
    )
    page = words(client.get(case_page(referral)))
    assert booking_page(made) in page
    assert "Linked here by hand" in page
    assert case_page(referral) in words(client.get(booking_page(made)))
    undo = reverse("referrals:unlink-booking", args=[referral.pk, made.pk])
    for _ in range(2):
        assert client.post(undo).status_code == 302
    assert booking_page(made) not in words(client.get(case_page(referral)))
    assert AuditEvent.objects.filter(action="referrals.unlink_booking").count() == 1


def test_the_same_from_the_booking(client: Client, here: HealthcareService, referral: Case) -> None:
    made = booking(here)
    address = reverse("referrals:link-referral", args=[made.pk])
    assert address in words(client.get(booking_page(made)))
    assert str(referral.pk) in words(client.get(address))
    assert client.post(address, {"chosen": str(referral.pk)})["Location"] == booking_page(made)
    assert BookingLink.objects.filter(referral=referral.pk, booking=made).exists()
    type(referral).objects.update(status=CaseStatus.REVOKED)
    assert "no longer linked" in words(client.get(booking_page(made)))


def test_only_what_stands_and_is_ours_is_linked(here: HealthcareService, referral: Case) -> None:
    client = client_of(make_acting(organisation=here.provider))
    for made in (booking(here, status=BookingStatus.CANCELLED), booking(make_hub(), reference="B3")):
        client.post(link_page(referral), {"chosen": str(made.pk)})
    assert not BookingLink.objects.exists()
    assert client_of(make_acting()).get(link_page(referral)).status_code == 404
    auditor = client_of(make_acting(role=Role.AUDITOR, organisation=here.provider))
    assert auditor.get(link_page(referral)).status_code == 403
    assert link_page(referral) not in words(auditor.get(case_page(referral)))
    validation = make_case(Category.VALIDATION, service=here, use_case="a4t1", reference="V1")
    assert client.get(link_page(validation)).status_code == 404


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({}, {}, True),
        ({"family_name": "QUILL"}, {"family_name": "Quill"}, True),
        ({"nhs_number": ""}, {}, True),
        ({"nhs_number": "9434765919"}, {"nhs_number": "9434765870"}, False),
        ({"birth_date": date(1945, 7, 15)}, {}, False),
        ({"birth_date": None}, {"birth_date": None}, False),
        ({"family_name": ""}, {"family_name": ""}, False),
        ({"family_name": "Other"}, {}, False),
    ],
    ids=["same", "case", "no-number", "other-number", "other-birth", "no-birth", "no-name", "other-name"],
)
def test_the_same_person(one: dict[str, Any], other: dict[str, Any], same: bool) -> None:
    base = {"family_name": "Quill", "birth_date": date(1945, 7, 14), "nhs_number": "9434765919"}
    assert is_same_person(Patient(**{**base, **one}), Patient(**{**base, **other})) is same
