"""Who looked at a patient: found by what an auditor knows, within the organisation, and itself recorded."""

import csv
import io
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from bars_portal.accounts.models import Organisation, User
from bars_portal.accounts.permissions import Role
from bars_portal.audit.actor import Actor
from bars_portal.audit.models import AuditEvent
from bars_portal.audit.services import record
from bars_portal.nhsuk.documents import harmless
from tests.factories.accounts import make_organisation, make_user
from tests.factories.bookings import make_booking
from tests.factories.patients import NOW, make_details, make_patient
from tests.factories.referrals import make_case

pytestmark = pytest.mark.django_db
_ELSEWHERE = {"postcode": "M1 1AA", "given_names": "Bea"}
OTHER = make_details(nhs_number="9449306648", **_ELSEWHERE)


@pytest.fixture
def ours() -> Organisation:
    return make_organisation()


@pytest.fixture
def auditor(client: Client, ours: Organisation) -> Client:
    client.force_login(make_user(role=Role.AUDITOR, organisation=ours))
    return client


def look(subject: Any, who: str, organisation: Organisation, **more: Any) -> AuditEvent:
    actor = Actor(who, None, organisation.pk)
    return record(actor=actor, action="bookings.view_booking", subject=subject, now=NOW, **more)


def ask(client: Client, **typed: str) -> str:
    """The page that the search leads to."""
    response = client.post("/trail/", {"shown": "looks", **typed}, follow=True)
    assert response.status_code == 200
    return response.content.decode()


BY_PATIENT = [
    {"nhs_number": "944 930 6621"},
    {"family_name": "quill", "birth_date-day": "14", "birth_date-month": "7", "birth_date-year": "1945"},
]


@pytest.mark.parametrize("typed", BY_PATIENT, ids=["number", "name"])
def test_all_records_of_a_patient(auditor: Client, ours: Organisation, typed: dict[str, str]) -> None:
    for who in ("Ann", "Bob"):
        patient = make_patient(organisation=ours)
        look(make_booking(organisation=ours, patient=patient), who, ours)
    look(
        make_booking(
            organisation=ours,
            patient=make_patient(
                organisation=ours,
                details=make_details(
                    nhs_number="9449306656", family_name="Other", birth_date=date(1950, 1, 1)
                ),
            ),
        ),
        "Eve",
        ours,
    )
    page = ask(auditor, **typed)
    assert "Ann" in page and "Bob" in page
    assert "Eve" not in page


def test_a_record_with_their_number_counts_under_another_name(auditor: Client, ours: Organisation) -> None:
    make_patient(organisation=ours)
    mistyped = make_details(family_name="Quail", nhs_number_verified=False, postcode="")
    look(make_patient(organisation=ours, details=mistyped), "Ann", ours)
    patient = make_patient(organisation=ours)
    assert "Ann" in auditor.get(f"/trail/results/?patient={patient.pk}").content.decode()


def test_what_belongs_to_the_journey_is_found(auditor: Client) -> None:
    case = make_case(reference="REF-1")
    journey = case.journey
    organisation = journey.organisation
    auditor.force_login(make_user(role=Role.AUDITOR, organisation=organisation))
    look(case, "Of the case", organisation)
    look(case.patient, "Of the patient", organisation)
    look(journey, "Of the journey", organisation)
    look(None, "Of the conversation", organisation, correlation_id=journey.correlation_id)
    look(make_case(), "Of another", organisation)
    page = ask(auditor, case=str(case.pk))
    for who in ("Of the case", "Of the patient", "Of the journey", "Of the conversation"):
        assert who in page
    assert "Of another" not in page
    assert "Of the case" in ask(auditor, case=case.reference)


def test_another_organisations_looks_and_patients_are_not_there(auditor: Client, ours: Organisation) -> None:
    theirs = make_organisation()
    patient = make_patient(organisation=theirs)
    look(patient, "Stranger", theirs)
    assert "no record of this patient" in ask(auditor, nhs_number="9449306621")
    own = make_patient(organisation=ours)
    # Somebody of theirs, at ours: on the trail of who looked, which is theirs.
    look(own, "Stranger", theirs)
    assert "Stranger" not in ask(auditor, nhs_number="9449306621")
    for query in (f"patient={patient.pk}", f"case={patient.journey_id}"):
        assert auditor.get(f"/trail/results/?{query}").status_code == 404
        assert auditor.get(f"/trail/results.csv?{query}").status_code == 404


def test_by_person_and_days(auditor: Client, ours: Organisation) -> None:
    person = make_user(organisation=ours, first_name="Renée", last_name="Fold")
    gone: User = make_user(role=None, first_name="Gone", last_name="Fold")
    for user in (person, gone):
        actor = Actor(user.get_full_name(), user.pk, ours.pk)
        record(actor=actor, action="tests.view_it", now=NOW)
        record(actor=actor, action="tests.change_it", now=NOW + timedelta(days=2))
    page = ask(auditor, staff="renee")
    assert "View it (tests)" in page
    assert "Change it (tests)" not in page
    assert "Gone Fold" in ask(auditor, staff="fold", shown="all")
    day = {"last-day": "14", "last-month": "7", "last-year": "2026"}
    page = ask(auditor, staff="fold", shown="all", **day)
    assert "View it (tests)" in page
    assert "Change it (tests)" not in page


def test_two_patients_are_told_apart(auditor: Client, ours: Organisation) -> None:
    look(make_patient(organisation=ours), "Ann", ours)
    look(make_patient(organisation=ours, details=OTHER), "Bob", ours)
    page = ask(auditor, **BY_PATIENT[1])
    assert "More than one patient fits" in page
    assert "QUILL, Ada Mary" in page and "QUILL, Bea" in page


def test_no_address_names_the_patient(auditor: Client, ours: Organisation) -> None:
    patient = make_patient(organisation=ours)
    response = auditor.post("/trail/", {"shown": "looks", "nhs_number": "9449306621"})
    address = urlsplit(response.headers["Location"])
    assert parse_qs(address.query) == {"patient": [str(patient.pk)]}


def test_searching_reading_and_saving_are_on_the_trail(auditor: Client, ours: Organisation) -> None:
    patient = make_patient(organisation=ours)
    ask(auditor, nhs_number="9449306621")
    b"".join(auditor.get(f"/trail/results.csv?patient={patient.pk}"))
    ask(auditor, nhs_number="9449306648")
    events = AuditEvent.objects.filter(action__startswith="audit.").order_by("id")
    assert [(each.action, each.subject_id) for each in events] == [
        ("audit.search_trail", ""),
        ("audit.view_trail", str(patient.pk)),
        ("audit.export_trail", str(patient.pk)),
        ("audit.search_trail", ""),
    ]
    assert events[0].detail == {"by": "nhs_number", "shown": "looks", "found": "some"}
    assert events[3].detail["found"] == "none"
    assert "9449306621" not in str(list(events.values()))


def test_the_file_has_everything_and_no_formula(auditor: Client, ours: Organisation) -> None:
    patient = make_patient(organisation=ours)
    for who in ('=HYPERLINK("x")', "Ann, the first"):
        look(patient, who, ours)
    response = auditor.get(f"/trail/results.csv?patient={patient.pk}")
    assert response.headers["Content-Disposition"].startswith('attachment; filename="audit-trail-')
    rows = list(csv.reader(io.StringIO(b"".join(response).decode("utf-8-sig"))))
    whos = [row[1] for row in rows[1:]]
    assert whos[1:] == ["Ann, the first", '\'=HYPERLINK("x")']
    assert rows[1][3] == ours.name


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " ="])
def test_a_cell_that_a_spreadsheet_would_run(start: str) -> None:
    assert harmless(f"{start}1+1") == f"'{start}1+1"
    assert harmless("1+1") == "1+1"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({}, "Enter a patient, a booking or case, a member of staff, or a day"),
        ({"family_name": "Quill"}, "Enter the patient&#39;s date of birth too"),
        ({"case": "nothing"}, "no booking or case with this reference"),
        ({"staff": "nobody"}, "Nobody of this name"),
        ({"nhs_number": "944 930 6648"}, "no record of this patient"),
    ],
)
def test_what_is_not_found_is_said(auditor: Client, typed: dict[str, str], said: str) -> None:
    page = ask(auditor, **typed)
    assert "There is a problem" in page
    assert said in page


@pytest.mark.parametrize("query", ["patient=1", "case=x", "staff=0", "staff=x", "from=x", "to=9999-12-31"])
def test_an_address_that_was_made_up(auditor: Client, query: str) -> None:
    assert auditor.get(f"/trail/results/?{query}").status_code == 404


def test_home_and_the_administration_lead_there(auditor: Client, ours: Organisation) -> None:
    patient = make_patient(organisation=ours)
    assert 'href="/trail/"' in auditor.get("/").content.decode()
    assert 'href="/trail/"' in auditor.get("/admin/audit/auditevent/").content.decode()
    page = auditor.get(f"/admin/patients/patient/{patient.pk}/change/").content.decode()
    assert f'href="/trail/results/?patient={patient.pk}"' in page


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.AUDITOR])
def test_nobody_else_asks(client: Client, role: Role) -> None:
    client.force_login(make_user(role=role))
    for address in ("/trail/", "/trail/results/?from=2026-07-14", "/trail/results.csv?from=2026-07-14"):
        assert client.get(address).status_code == 403
