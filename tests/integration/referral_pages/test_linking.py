"""Bookings and referrals that go together: shown on both pages, told by the message or by a person."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import Role
from bars_portal.audit.models import AuditEvent
from bars_portal.correspondence.states import Direction
from bars_portal.patients.details import is_same_person
from bars_portal.patients.models import Patient
from bookings.models import Booking
from bookings.states import BookingStatus
from directory.models import HealthcareService
from referrals.cases.models import BookingLink, Case
from referrals.cases.states import CaseStatus, Category
from tests.factories.accounts import make_acting, make_organisation
from tests.factories.bookings import make_booking
from tests.factories.patients import DETAILS, make_patient
from tests.factories.referrals import make_case, make_hub
from tests.integration.referral_pages.conftest import client_of, words
from tests.worlds import Kept, Worlds

pytestmark = pytest.mark.django_db


Place = tuple[HealthcareService, Acting, Client]


@pytest.fixture(scope="module")
def kept_place(worlds: Worlds) -> Kept[Place]:
    def make() -> Place:
        here = make_hub(provider=make_organisation(name="Riverside"), takes_bookings=True)
        acting = make_acting(organisation=here.provider)
        return here, acting, client_of(acting)

    return worlds.keep("kept_place", make)


@pytest.fixture
def here(kept_place: Kept[Place], db: None) -> HealthcareService:
    return kept_place.copy()[0]


@pytest.fixture
def acting(kept_place: Kept[Place], db: None) -> Acting:
    return kept_place.copy()[1]


@pytest.fixture
def client(kept_place: Kept[Place], db: None) -> Client:
    return kept_place.copy()[2]


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
    assert "Link an appointment" in words(client.get(case_page(referral)))
    offered = words(client.get(link_page(referral)))
    assert str(made.pk) in offered
    assert str(stranger.pk) not in offered
    assert "Select one" in words(client.post(link_page(referral), {"chosen": ""}))
    for _ in range(2):
        pressed = client.post(link_page(referral), {"chosen": str(made.pk)})
        assert pressed["Location"] == case_page(referral)
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


def test_a_link_is_offered_only_where_there_is_something_to_link(
    client: Client, here: HealthcareService, referral: Case
) -> None:
    offer = "Link an appointment"
    assert offer not in words(client.get(case_page(referral))), "no appointment at all"
    other = make_patient(details=replace(DETAILS, family_name="Other"), organisation=here.provider)
    alone = booking(here, patient=other, reference="BOOK-2")
    booking(here, status=BookingStatus.CANCELLED, reference="BOOK-3")
    booking(make_hub(), reference="BOOK-4")
    assert offer not in words(client.get(case_page(referral))), "none of this patient that stands"
    assert "Link a referral" not in words(client.get(booking_page(alone)))
    made = booking(here)
    assert offer in words(client.get(case_page(referral)))
    assert "Link a referral" in words(client.get(booking_page(made)))
    client.post(link_page(referral), {"chosen": str(made.pk)})
    page = words(client.get(case_page(referral)))
    assert offer not in page, "it is linked already"
    assert booking_page(made) in page
    assert "Link a referral" not in words(client.get(booking_page(made)))


LATE = "after the time by which the patient is to be seen"


@pytest.mark.parametrize(("hours", "late"), [(-1, True), (0, False), (1, False), (None, False)])
def test_an_appointment_after_the_due_time_is_warned_of(
    client: Client, here: HealthcareService, hours: int | None, late: bool
) -> None:
    made = booking(here)
    seen_by = None if hours is None else made.start + timedelta(hours=hours)
    referral = make_case(service=here, reference="REF-2", breach_at=seen_by)
    for offered in (link_page(referral), reverse("referrals:link-referral", args=[made.pk])):
        assert ("this appointment is later" in words(client.get(offered))) is late
    client.post(link_page(referral), {"chosen": str(made.pk)})
    for page in (case_page(referral), booking_page(made)):
        assert (LATE in words(client.get(page)).lower()) is late
    type(referral).objects.update(status=CaseStatus.COMPLETED)
    for page in (case_page(referral), booking_page(made)):
        assert LATE not in words(client.get(page)).lower(), "it is over"


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


FORMER = {"value": "9434765919", "verified": True, "superseded": True}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({}, {}, True),
        ({"family_name": "QUILL"}, {"family_name": "Quill"}, True),
        ({"nhs_number": ""}, {}, True),
        ({"nhs_number": "", "postcode": ""}, {}, False),
        ({"nhs_number_verified": False, "postcode": "ls14ap"}, {}, True),
        ({"nhs_number_verified": False, "postcode": "LS1 4AQ"}, {}, False),
        ({"nhs_number": "", "given_names": "Bo"}, {}, False),
        ({"nhs_number": "", "given_names": "Ada"}, {}, True),
        ({"family_name": "Other", "birth_date": None}, {}, False),
        ({"nhs_number": "9434765870", "other_numbers": [FORMER]}, {}, True),
        ({"nhs_number": "9434765919"}, {"nhs_number": "9434765870"}, False),
        ({"birth_date": date(1945, 7, 15)}, {}, False),
        ({"birth_date": None, "nhs_number": ""}, {"birth_date": None}, False),
        (
            {"family_name": "", "given_names": ""},
            {"family_name": "", "given_names": "", "nhs_number": ""},
            False,
        ),
        ({"nhs_number": "", "family_name": "Other"}, {}, False),
        ({"family_name": "Other"}, {}, False),
    ],
)
def test_the_same_person(one: dict[str, Any], other: dict[str, Any], same: bool) -> None:
    base = {
        "given_names": "Ada Mary",
        "family_name": "Quill",
        "birth_date": date(1945, 7, 14),
        "postcode": "LS1 4AP",
        "nhs_number": "9434765919",
        "nhs_number_verified": True,
    }
    assert is_same_person(Patient(**{**base, **one}), Patient(**{**base, **other})) is same
