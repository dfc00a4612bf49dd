"""The trail in the admin: who may read it, what they find, and that reading is itself recorded."""

import uuid

import pytest
from django.test import Client

from bars_portal.accounts.models import Organisation
from bars_portal.accounts.permissions import Role
from bars_portal.audit.actor import SYSTEM, Actor
from bars_portal.audit.models import AuditEvent
from bars_portal.audit.services import record
from bookings.models import Clinic
from directory.models import AccessRule
from tests.factories.accounts import add_membership, make_organisation, make_user
from tests.factories.bookings import make_schedule
from tests.factories.directory import make_endpoint, make_service
from tests.factories.patients import NOW, make_journey

pytestmark = pytest.mark.django_db
TRAIL = "/admin/audit/auditevent/"
CONVERSATION = uuid.UUID(int=7)


@pytest.fixture
def organisation() -> Organisation:
    return make_organisation()


@pytest.fixture
def auditor(client: Client, organisation: Organisation) -> Client:
    client.force_login(make_user(role=Role.AUDITOR, organisation=organisation))
    return client


def happen(action: str, organisation: Organisation | None = None) -> AuditEvent:
    actor = Actor("Somebody", organisation_id=organisation.pk) if organisation else SYSTEM
    return record(actor=actor, action=action, correlation_id=CONVERSATION, now=NOW)


def test_what_the_portal_does_by_itself_is_told_to_whom_it_concerns(organisation: Organisation) -> None:
    """Also where only its service says whose the thing is."""
    service = make_service(provider=organisation)
    schedule, endpoint = make_schedule(service=service), make_endpoint(service=service)
    rule = AccessRule(service=service, name="x", organisations=["RX1"])
    clinic = Clinic(service=service, name="x")
    for subject in (service, schedule, endpoint, rule, clinic):
        event = record(actor=SYSTEM, action="tests.happen", subject=subject, now=NOW)
        assert event.organisation_id == organisation.pk, subject._meta.label


@pytest.mark.parametrize(
    ("roles", "seen"),
    [
        ([Role.AUDITOR], {"Own"}),
        ([Role.INSTALLER], {"Portal", "Stranger"}),
        ([Role.AUDITOR, Role.INSTALLER], {"Own", "Portal", "Stranger"}),
    ],
    ids=["auditor", "installer", "both"],
)
def test_auditors_read_their_organisations_trail_and_installers_what_is_of_none(
    client: Client, organisation: Organisation, roles: list[Role], seen: set[str]
) -> None:
    person = make_user(role=None)
    for role in roles:
        add_membership(person, organisation, role)
    client.force_login(person)
    events = {
        "Own": happen("tests.own_deed", organisation),
        "Portal": happen("tests.portal_deed"),
        "Stranger": record(actor=Actor("partner via unknown"), action="tests.stranger_deed", now=NOW),
        "Foreign": happen("tests.foreign_deed", make_organisation()),
        # Somebody of another organisation, who names none when they sign in.
        "Arriving": record(actor=Actor("Eve", user_id=make_user().pk), action="tests.arriving_deed", now=NOW),
    }
    page = client.get(TRAIL).content.decode()
    assert {name for name in events if f"{name} deed (tests)</td>" in page} == seen
    shown = {name: client.get(f"{TRAIL}{each.pk}/change/").status_code for name, each in events.items()}
    assert shown == {name: 200 if name in seen else 404 for name in events}


def test_comings_and_goings_of_other_organisations_people_are_theirs(
    auditor: Client, organisation: Organisation
) -> None:
    """A sign-in names no organisation: whoever signs in may belong to many."""
    ours, theirs = make_user(organisation=organisation), make_user()
    for person, name in ((ours, "Ours"), (theirs, "Theirs")):
        record(actor=Actor(name, user_id=person.pk), action="accounts.sign_in", subject=person, now=NOW)
        record(actor=Actor(f"Failed {name}"), action="accounts.sign_in", subject=person, now=NOW)
    page = auditor.get(TRAIL).content.decode()
    assert ">Ours</a>" in page or ">Ours</td>" in page
    assert "Failed Ours" in page
    assert "Theirs" not in page


def test_what_a_partner_does_is_told_to_whom_it_concerns(auditor: Client, organisation: Organisation) -> None:
    for owner, name in ((organisation, "Partner of ours"), (make_organisation(), "Partner of theirs")):
        record(actor=Actor(name), action="tests.deed", subject=make_journey(organisation=owner), now=NOW)
    page = auditor.get(TRAIL).content.decode()
    assert "Partner of ours" in page
    assert "Partner of theirs" not in page


def test_reading_is_recorded(auditor: Client) -> None:
    auditor.get(TRAIL)
    event = AuditEvent.objects.get(action="audit.view_list")
    assert event.actor_user is not None


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.CLERK, Role.MANAGER, Role.ENGINEER])
def test_nobody_else_reads_it(client: Client, role: Role) -> None:
    client.force_login(make_user(role=role))
    assert client.get(TRAIL, follow=True).status_code == 403


def test_a_superuser_reads_all_of_it_and_changes_nothing(client: Client) -> None:
    event = happen("tests.foreign_deed", make_organisation())
    client.force_login(make_user(role=None, is_superuser=True))
    assert "Foreign deed (tests)" in client.get(TRAIL).content.decode()
    page = client.get(f"{TRAIL}{event.pk}/change/")
    assert page.status_code == 200
    assert b'name="_save"' not in page.content
    assert client.post(f"{TRAIL}{event.pk}/change/", {"action": "x"}).status_code == 403
    assert client.post(f"{TRAIL}{event.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"{TRAIL}add/").status_code == 403


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=00000000-0000-0000-0000-000000000007", True),
        ("q=00000000-0000-0000-0000-000000000008", False),
        ("q=some", True),
        ("q=%00", False),
        ("q=<script>", False),
        ("q=" + "x" * 5000, False),
        ("q=%27%3B+DROP+TABLE+audit_auditevent", False),
        ("action=tests.own_deed", True),
        ("action=nothing", False),
        ("outcome=done", True),
        ("outcome=refused", False),
        ("at__year=2026&at__month=7", True),
    ],
)
def test_search_and_filters(auditor: Client, organisation: Organisation, query: str, found: bool) -> None:
    happen("tests.own_deed", organisation)
    page = auditor.get(f"{TRAIL}?{query}", follow=True)
    rows = page.content.decode().partition('id="result_list"')[2]
    assert page.status_code == 200
    assert ("Own deed (tests)</td>" in rows) is found
