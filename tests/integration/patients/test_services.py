"""Patients and journeys in the database."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis.extra.django import TestCase

from bars_portal.accounts.models import Organisation
from bars_portal.audit.actor import SYSTEM, Actor
from bars_portal.audit.models import AuditEvent
from bars_portal.patients.details import ContactDetails, PatientDetails
from bars_portal.patients.models import Contact, Journey, Patient
from bars_portal.patients.reading import patient_from_fhir
from bars_portal.patients.selectors import details_of, patients_of, patients_of_journey
from bars_portal.patients.services import BY_MESSAGE, create_patient, open_journey
from bars_portal.sql import together
from tests.factories.accounts import make_organisation
from tests.factories.patients import DETAILS, NOW, make_details, make_journey, make_patient
from tests.profiles import examples
from tests.unit.patients.strategies import odd_resources

CASE, CONVERSATION = uuid.UUID(int=1), uuid.UUID(int=2)


@pytest.fixture
def organisation(db: None) -> Organisation:
    return make_organisation()


def test_what_is_stored_is_what_was_given(organisation: Organisation) -> None:
    patient = make_patient(organisation=organisation)
    assert details_of(Patient.objects.get(pk=patient.pk)) == DETAILS


def test_the_call_back_has_rank_one(organisation: Organisation) -> None:
    make_patient(organisation=organisation, details=make_details(contacts=DETAILS.contacts * 3))
    assert list(Contact.objects.values_list("rank", flat=True)) == [1, 2, 3]
    assert [each["rank"] for each in Contact.objects.all()[0].telecom] == [1, 2]


def test_a_patient_of_whom_nothing_is_known_is_fine(organisation: Organisation) -> None:
    patient = make_patient(organisation=organisation, details=PatientDetails(nhs_number_verified=True))
    assert details_of(patient) == PatientDetails()


def test_patients_belong_to_one_organisation(organisation: Organisation) -> None:
    journey = make_journey(organisation=organisation)
    patient = make_patient(journey=journey)
    make_patient(organisation=make_organisation())
    assert list(patients_of(organisation)) == [patient]
    newer = make_patient(journey=journey, now=NOW.replace(hour=11))
    assert list(patients_of_journey(journey)) == [newer, patient]


def test_nothing_is_half_written(organisation: Organisation) -> None:
    last = ContactDetails(family_name="x" * 141)
    too_long = make_details(contacts=(*DETAILS.contacts, last))
    with pytest.raises(DataError, match="too long"), transaction.atomic():
        make_patient(organisation=organisation, details=too_long)
    assert not Patient.objects.exists()


def test_a_case_of_our_own_gets_both_ids(organisation: Organisation) -> None:
    first, second = (open_journey(organisation=organisation, now=NOW) for _ in range(2))
    assert first.journey_id is not None
    assert first.journey_id != second.journey_id
    assert first.correlation_id != second.correlation_id


def test_a_conversation_is_opened_once_for_each_organisation(organisation: Organisation) -> None:
    first = open_journey(organisation=organisation, now=NOW, correlation_id=CONVERSATION)
    again = open_journey(organisation=organisation, now=NOW, correlation_id=CONVERSATION)
    other = open_journey(organisation=make_organisation(), now=NOW, correlation_id=CONVERSATION)
    assert first == again
    assert first.journey_id is None
    assert other != first


def test_what_is_surely_new_waits_for_the_rest_and_is_told_when_it_is_not(organisation: Organisation) -> None:
    def open_new(**ids: uuid.UUID) -> Journey:
        return open_journey(organisation=organisation, now=NOW, is_surely_new=True, **ids)

    with transaction.atomic(), together():
        journey = open_new(correlation_id=CONVERSATION, journey_id=CASE)
        patient = create_patient(
            details=PatientDetails(), organisation=organisation, journey=journey, now=NOW, declared_by=SYSTEM
        )
    assert Patient.objects.get(pk=patient.pk).journey == Journey.objects.get() == journey
    with pytest.raises(IntegrityError), transaction.atomic(), together():
        open_new(correlation_id=uuid.uuid4(), journey_id=CASE)


def test_a_booking_learns_its_journey_id_from_the_referral(organisation: Organisation) -> None:
    booking = open_journey(organisation=organisation, now=NOW, correlation_id=CONVERSATION)
    referral = open_journey(organisation=organisation, now=NOW, correlation_id=CONVERSATION, journey_id=CASE)
    assert referral == booking
    assert Journey.objects.get().journey_id == CASE


def test_a_known_case_wins_over_a_new_conversation(organisation: Organisation) -> None:
    case = open_journey(organisation=organisation, now=NOW, journey_id=CASE)
    open_journey(organisation=organisation, now=NOW, correlation_id=CONVERSATION)
    found = open_journey(organisation=organisation, now=NOW, correlation_id=CONVERSATION, journey_id=CASE)
    assert found == case


def test_a_known_case_keeps_its_journey_id(organisation: Organisation) -> None:
    first = open_journey(organisation=organisation, now=NOW, correlation_id=CONVERSATION, journey_id=CASE)
    other = open_journey(
        organisation=organisation, now=NOW, correlation_id=CONVERSATION, journey_id=uuid.uuid4()
    )
    assert other == first
    assert Journey.objects.get().journey_id == CASE


def test_the_database_holds_both_ids_unique(organisation: Organisation) -> None:
    open_journey(organisation=organisation, now=NOW, correlation_id=CONVERSATION, journey_id=CASE)
    for ids in ({"correlation_id": CONVERSATION}, {"journey_id": CASE}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Journey.objects.create(organisation=organisation, created_at=NOW, **ids)


@pytest.mark.django_db(transaction=True)
def test_many_at_once_open_one_journey() -> None:
    organisation = make_organisation()

    def opened(_: int) -> uuid.UUID:
        try:
            return open_journey(
                organisation=organisation, now=NOW, correlation_id=CONVERSATION, journey_id=CASE
            ).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(opened, range(16)))
    assert found == {Journey.objects.get().pk}


class WhateverArrives(TestCase):
    """What the mapping reads from any resource, the tables hold."""

    @given(odd_resources)
    @hypothesis_settings(max_examples=examples(10, thorough=80), deadline=None)
    def test_is_stored(self, resource: object) -> None:
        organisation = make_organisation()
        details = patient_from_fhir(resource, now=NOW)
        journey = make_journey(organisation=organisation)
        patient = create_patient(
            details=details, organisation=organisation, journey=journey, now=NOW, declared_by=SYSTEM
        )
        stored = Patient.objects.get(pk=patient.pk)
        assert (stored.family_name, stored.birth_date) == (details.family_name, details.birth_date)


def test_a_number_is_verified_by_a_declaration_alone(organisation: Organisation) -> None:
    """By a person, on the trail, or by a message; never by a tick without a source."""
    for source, by_message, kept in (("PDS", False, "PDS"), ("", True, BY_MESSAGE), ("", False, "")):
        details = replace(DETAILS, traced_in=source)
        actor = Actor("Chris Linnell")
        patient = create_patient(
            details=details,
            organisation=organisation,
            journey=make_journey(organisation=organisation),
            now=NOW,
            declared_by=actor,
            by_message=by_message,
        )
        stored = Patient.objects.get(pk=patient.pk)
        told = (stored.nhs_number, stored.nhs_number_verified, stored.traced_in)
        assert told == (DETAILS.nhs_number, bool(kept), kept)
        assert (stored.traced_by, stored.traced_at) == ((actor.label, NOW) if kept else ("", None))
        events = AuditEvent.objects.filter(action="patients.declare_traced", subject_id=str(patient.pk))
        assert [each.detail for each in events] == ([{"source": "PDS"}] if source else [])
