"""People as the database finds them and pages name them: keys, former numbers, births in part, death."""

from dataclasses import replace
from datetime import date
from importlib import import_module
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis.extra.django import TestCase

from bars_portal.accounts.permissions import Role
from bars_portal.audit.actor import Actor
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.access import Caller
from bars_portal.exchange.registry import ReadContext
from bars_portal.patients.details import OtherNumber, PatientDetails
from bars_portal.patients.models import Patient
from bookings.resources import AppointmentReader
from directory.models import HealthcareService
from referrals.messages import ServiceRequestReader
from tests.factories.accounts import make_acting, make_user
from tests.factories.bookings import NOW, make_booking
from tests.factories.patients import DETAILS, make_patient
from tests.factories.referrals import make_case, make_hub
from tests.integration.referral_pages.conftest import client_of, words
from tests.profiles import examples
from tests.unit.patients.strategies import filled

pytestmark = pytest.mark.django_db
Params = list[tuple[str, str]]
FORMER, OTHER = "9476719931", "9434765919"
NUMBERED = replace(
    DETAILS, other_numbers=(OtherNumber(FORMER, verified=True, superseded=True), OtherNumber(OTHER))
)
UNFILLED = {"name_key": ""}


def by_number(number: str) -> Params:
    return [("patient:identifier", f"https://fhir.nhs.uk/Id/nhs-number|{number}")]


def by_person(name: str, born: str = "1945-07-14", postcode: str = "LS1 4AP") -> Params:
    return [("patient:name", name), ("patient:birthdate", born), ("patient:address-postalcode", postcode)]


def received(details: PatientDetails, here: HealthcareService, **columns: Any) -> Patient:
    """With a booking and a referral."""
    patient = make_patient(organisation=here.provider, details=details)
    Patient.objects.filter(pk=patient.pk).update(**columns)
    shown: dict[str, Any] = {"resource": {"id": str(uuid4())}, "reference": str(patient.pk)[:8]}
    make_booking(direction=Direction.RECEIVED, service=here, patient=patient, **shown)
    make_case(service=here, patient=patient, **shown)
    return patient


def totals(asked: Params) -> set[int]:
    who = ReadContext(uuid4(), uuid4(), None, Caller("RX111"), NOW, Actor("partner"))
    readers = (AppointmentReader(), ServiceRequestReader())
    return {each.search(asked, who)["total"] for each in readers}


@pytest.fixture
def here() -> HealthcareService:
    return make_hub()


SEARCHES: list[tuple[PatientDetails, dict[str, str], Params, int]] = [
    (NUMBERED, {}, by_number("9449306621"), 1),
    (NUMBERED, {}, by_number(FORMER), 1),
    (NUMBERED, {}, by_number(OTHER), 0),
    (replace(DETAILS, family_name="O\u2019Ne\u00edll"), {}, by_person("ONeill"), 1),
    (replace(DETAILS, family_name="O\u2019Ne\u00edll"), {}, by_person("o'nei ada"), 1),
    (replace(DETAILS, family_name="O\u2019Ne\u00edll"), {}, by_person("O\u2019Neal"), 0),
    (DETAILS, {}, by_person("Quil"), 1),
    (DETAILS, {}, by_person("uill"), 0),
    (DETAILS, {}, by_person("Quill", born="1945"), 0),
    (replace(DETAILS, birth_date=None, birth_partly="1945"), {}, by_person("Quill", born="1945"), 1),
    (
        replace(DETAILS, birth_date=None, birth_partly="1945-07"),
        {},
        by_person("Quill", born="eq1945-07"),
        1,
    ),
    (replace(DETAILS, birth_date=None, birth_partly="1945"), {}, by_person("Quill"), 0),
    (replace(DETAILS, postcode="ZZ99 3VZ"), {}, by_person("Quill", postcode="zz993vz"), 1),
    (replace(DETAILS, family_name=""), {}, by_person("ada mary"), 1),
    # As an earlier version wrote it, while both run.
    (DETAILS, UNFILLED, by_person("quill"), 1),
    (DETAILS, UNFILLED | {"postcode": "ls1  4ap"}, by_person("quill"), 1),
    (DETAILS, UNFILLED, by_person("quilt"), 0),
]


@pytest.mark.parametrize(("details", "columns", "asked", "total"), SEARCHES)
def test_who_is_found(
    here: HealthcareService, details: PatientDetails, columns: dict[str, str], asked: Params, total: int
) -> None:
    received(details, here, **columns)
    assert totals(asked) == {total}


def test_twins_are_two(here: HealthcareService) -> None:
    for given_names in ("Ada", "Bea"):
        received(replace(DETAILS, nhs_number="", given_names=given_names), here)
    assert totals(by_person("Ada Quill")) == {1}
    assert totals(by_person("Quill")) == {2}, "who asks by the family name alone is told of both"


def test_a_search_uses_the_index(here: HealthcareService) -> None:
    received(DETAILS, here)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT id FROM patients_patient WHERE nhs_number = '9' AND nhs_number <> ''"
            """ OR other_numbers @> '[{"value": "9", "verified": true}]'"""
        )
        plan = " ".join(row[0] for row in cursor.fetchall())
    assert "patient_other_numbers" in plan


class WhateverTheyAreCalled(TestCase):
    """The database finds everybody by their own name, typed in another case."""

    @given(filled(30), filled(30))
    @hypothesis_settings(max_examples=examples(8, thorough=60), deadline=None)
    def test_is_found(self, family_name: str, given_names: str) -> None:
        received(replace(DETAILS, family_name=family_name, given_names=given_names), make_hub())
        assert totals(by_person(f"{family_name} {given_names}".upper())) == {1}


def test_the_migration_fills_rows_of_an_earlier_version(here: HealthcareService) -> None:
    patient = received(replace(DETAILS, family_name="O\u2019Neill"), here, name_key="", postcode="ls14ap")
    nameless = make_patient(organisation=here.provider, details=PatientDetails())
    fill = import_module("bars_portal.patients.migrations.0002_people_as_named").fill
    fill(apps, connection.schema_editor())
    patient.refresh_from_db()
    nameless.refresh_from_db()
    assert (patient.name_key, patient.postcode) == ("adamaryoneill", "LS1 4AP")
    assert nameless.name_key == ""
    fill(apps, connection.schema_editor())


def test_death_is_said_in_every_list_and_on_every_page(here: HealthcareService) -> None:
    patient = make_patient(organisation=here.provider, details=replace(DETAILS, died="2026-03-01"))
    case = make_case(service=here, patient=patient)
    client = client_of(make_acting(organisation=here.provider))
    assert "QUILL, Ada Mary (has died)" in words(client.get("/referrals/worklist/"))
    page = words(client.get(reverse("referrals:received", args=[case.pk])))
    assert "<dt>Died</dt> <dd>01-Mar-2026 (80y)" in page


def test_a_name_with_direction_marks_turns_no_page_round(here: HealthcareService) -> None:
    marked = replace(DETAILS, family_name="Qu\u202eill", given_names="\u2067Ada")
    patient = make_patient(organisation=here.provider, details=marked)
    case = make_case(service=here, patient=patient)
    client = client_of(make_acting(organisation=here.provider))
    for path in ("/referrals/worklist/", reverse("referrals:received", args=[case.pk])):
        page = words(client.get(path))
        assert "<bdi>QUILL, Ada" in page
        assert not set(page) & set("\u202e\u2067")
    assert Patient.objects.get(pk=patient.pk).family_name == "Qu\u202eill", "what is kept is what was sent"


def test_the_admin_shows_a_person_as_far_as_they_are_known() -> None:
    known = replace(NUMBERED, birth_date=None, birth_partly="1945-07", died="true", family_name="Qu\u202eill")
    patient = make_patient(details=known)
    client = Client()
    client.force_login(make_user(role=Role.AUDITOR, organisation=patient.organisation))
    page = words(client.get(f"/admin/patients/patient/{patient.pk}/change/"))
    for said in (
        "QUILL, Ada Mary",
        "July 1945",
        "Yes, date not known",
        "Former NHS number: 947 671 9931, superseded",
    ):
        assert said in page
    assert "\u202e" not in page
    assert "1945" in words(client.get("/admin/patients/patient/"))


def test_a_former_number_is_shown_as_one(here: HealthcareService) -> None:
    patient = make_patient(organisation=here.provider, details=NUMBERED)
    case = make_case(service=here, patient=patient)
    client = client_of(make_acting(organisation=here.provider))
    page = words(client.get(reverse("referrals:received", args=[case.pk])))
    assert "Former NHS number" in page
    assert "947 671 9931, superseded" in page
    assert date(1945, 7, 14) == patient.birth_date
