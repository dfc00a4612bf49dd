"""Patients in the admin: auditors look, each look is recorded, nobody changes anything."""

import pytest
from django.test import Client

from bars_portal.accounts.models import Organisation
from bars_portal.accounts.permissions import Role
from bars_portal.audit.models import AuditEvent
from bars_portal.patients.models import Patient
from tests.factories.accounts import make_organisation, make_user
from tests.factories.patients import make_patient

pytestmark = pytest.mark.django_db
PATIENTS = "/admin/patients/patient/"


@pytest.fixture
def organisation() -> Organisation:
    return make_organisation()


@pytest.fixture
def patient(organisation: Organisation) -> Patient:
    return make_patient(organisation=organisation)


@pytest.fixture
def auditor(client: Client, organisation: Organisation) -> Client:
    client.force_login(make_user(role=Role.AUDITOR, organisation=organisation))
    return client


def test_a_look_at_a_record_is_recorded(auditor: Client, patient: Patient) -> None:
    page = auditor.get(f"{PATIENTS}{patient.pk}/change/").content.decode()
    assert "944 930 6621" in page
    assert "Mobile phone 07700 900123" in page
    event = AuditEvent.objects.get(action="patients.view_patient")
    assert event.subject_id == str(patient.pk)
    assert event.actor_user is not None


def test_neither_list_nor_title_nor_address_names_the_patient(auditor: Client, patient: Patient) -> None:
    rows = auditor.get(PATIENTS).content.decode()
    title = auditor.get(f"{PATIENTS}{patient.pk}/change/").content.decode().partition("</title>")[0]
    for text in (rows, title):
        assert str(patient) in text
        assert not [each for each in ("Quill", "QUILL", "9449306621", "944 930") if each in text]
    assert AuditEvent.objects.filter(action="patients.view_list").count() == 1


def test_records_of_other_organisations_are_not_there(auditor: Client) -> None:
    other = make_patient()
    assert str(other.pk) not in auditor.get(PATIENTS).content.decode()
    assert auditor.get(f"{PATIENTS}{other.pk}/change/").status_code == 404
    assert not AuditEvent.objects.filter(action="patients.view_patient").exists()


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.CLERK, Role.MANAGER, Role.ENGINEER])
@pytest.mark.parametrize("page", ["", "{pk}/change/", "../journey/"])
def test_other_roles_do_not_look(
    client: Client, patient: Patient, organisation: Organisation, role: Role, page: str
) -> None:
    client.force_login(make_user(role=role, organisation=organisation))
    path = "/admin/patients/journey/" if page.startswith("..") else PATIENTS + page.format(pk=patient.pk)
    assert client.get(path, follow=True).status_code == 403


def test_nobody_changes_a_record(client: Client, patient: Patient) -> None:
    client.force_login(make_user(role=None, is_superuser=True))
    for path in (f"{PATIENTS}{patient.pk}/change/", f"{PATIENTS}{patient.pk}/delete/", f"{PATIENTS}add/"):
        assert client.post(path, {"family_name": "x", "post": "yes"}).status_code == 403
    assert Patient.objects.get().family_name == "Quill"


@pytest.mark.parametrize("odd", ["x", "00000000-0000-0000-0000-000000000000", "%00", "1' OR 1=1"])
def test_odd_ids_find_nothing(auditor: Client, odd: str) -> None:
    assert auditor.get(f"{PATIENTS}{odd}/change/").status_code == 404


@pytest.mark.parametrize("odd", ["Quill", "9449306621", "<script>", "9" * 3000])
def test_odd_searches_find_nothing(auditor: Client, patient: Patient, odd: str) -> None:
    page = auditor.get(f"{PATIENTS}?q={odd}", follow=True)
    assert page.status_code == 200
    assert str(patient.pk) not in page.content.decode()
