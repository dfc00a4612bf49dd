"""Applications: made, given secrets, revoked; and what a caller may do."""

from datetime import UTC, datetime, timedelta

import pytest

from bars_portal.accounts.acting import StatedPerson
from bars_portal.accounts.permissions import PERMISSIONS, PolicyRefused, Role
from bars_portal.api.callers import Misstated, caller_of_token, for_person
from bars_portal.api.models import Application
from bars_portal.api.operations import FOR_CLINICIANS, FOR_PEOPLE, Scope, permissions_for
from bars_portal.api.services import (
    TOKEN_LIFE,
    change_application,
    create_secret,
    issue_token,
    revoke_application,
    revoke_oldest_secret,
    spend_assertion,
)
from bars_portal.audit.models import AuditEvent
from tests.factories.api import SETUP, make_application

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)
DOCTOR = (
    '{"name": "Dr Ann Lee", "identifier": {"system": "https://hospital.example/staff", "value": "77"},'
    ' "role": "clinician", "clinical": true}'
)


def test_two_secrets_stand_at_a_time_and_the_older_one_goes() -> None:
    application = make_application()
    first = create_secret(application=application, actor=SETUP, now=NOW)
    create_secret(application=application, actor=SETUP, now=NOW + timedelta(seconds=1))
    with pytest.raises(PolicyRefused):
        create_secret(application=application, actor=SETUP, now=NOW)
    revoke_oldest_secret(application=application, actor=SETUP, now=NOW)
    standing = application.secrets.get(revoked_at=None)
    assert standing.hint != first[-4:]
    assert first not in repr(list(AuditEvent.objects.values_list("detail", flat=True)))
    with pytest.raises(PolicyRefused):
        revoke_oldest_secret(application=application, actor=SETUP, now=NOW)


def test_a_token_ends_with_its_time_its_application_and_each_scope_that_is_taken() -> None:
    application = make_application(scopes=[Scope.SERVICES_READ, Scope.BOOKINGS_WRITE])
    issue_token(application=application, scopes=application.scopes, token="t", actor=SETUP, now=NOW)
    assert caller_of_token("t", now=NOW + TOKEN_LIFE) is None
    assert caller_of_token("another", now=NOW) is None
    application.scopes = ["services:read", "of-a-later-version"]
    change_application(application=application, changed=["scopes"], actor=SETUP, now=NOW)
    found = caller_of_token("t", now=NOW)
    assert found is not None
    assert found.scopes == {Scope.SERVICES_READ}
    revoke_application(application=application, actor=SETUP, now=NOW)
    assert caller_of_token("t", now=NOW) is None


def test_an_expired_application_has_no_token() -> None:
    application = make_application(expires_at=NOW + timedelta(minutes=1))
    issue_token(application=application, scopes=[], token="t", actor=SETUP, now=NOW)
    assert caller_of_token("t", now=NOW + timedelta(minutes=1)) is None


def test_an_assertion_counts_once() -> None:
    application, later = make_application(), NOW + timedelta(minutes=5)
    assert spend_assertion(application=application, jti="a", expires_at=later, now=NOW)
    assert not spend_assertion(application=application, jti="a", expires_at=later, now=NOW)
    assert spend_assertion(application=make_application(), jti="a", expires_at=later, now=NOW)


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.CLERK])
@pytest.mark.parametrize("clinical", [True, False])
def test_what_a_stated_person_may_do_is_the_smaller_of_scopes_and_role(role: Role, clinical: bool) -> None:
    stated = StatedPerson("Ann", "s", "1", role, clinical)
    alone, theirs = permissions_for(Scope, None), permissions_for(Scope, stated)
    assert not alone & FOR_PEOPLE
    assert theirs <= PERMISSIONS[role]
    assert bool(theirs & FOR_CLINICIANS) == (clinical and role is Role.CLINICIAN)
    assert permissions_for([Scope.SERVICES_READ], stated) == {"directory.find_service"}


def test_whom_it_acts_for_is_named_with_the_application() -> None:
    application = make_application(scopes=[Scope.BOOKINGS_WRITE])
    issue_token(application=application, scopes=application.scopes, token="t", actor=SETUP, now=NOW)
    known = caller_of_token("t", now=NOW)
    assert known is not None
    actor = for_person(known, DOCTOR).acting.actor
    assert actor.label == f"Dr Ann Lee, through {application.name} (application)"
    assert actor.circumstances == {
        "application": str(application.pk),
        "asked_by": "https://hospital.example/staff|77",
    }


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("nonsense", "not JSON"),
        ("[]", "an object"),
        ('{"name": "A"}', "identifier"),
        (DOCTOR.replace("true", '"yes"'), "clinical"),
        (DOCTOR.replace("clinician", "manager"), "role"),
        (DOCTOR.replace("clinician", "clerk"), "only the role clinician"),
        (DOCTOR.replace('"77"', "77"), "value"),
        (DOCTOR.replace("Dr Ann Lee", " "), "name"),
        (DOCTOR.replace("Dr Ann Lee", "A" * 101), "100 characters"),
    ],
)
def test_a_person_who_is_misstated_is_refused_and_not_quoted(header: str, words: str) -> None:
    application = make_application()
    issue_token(application=application, scopes=[], token="t", actor=SETUP, now=NOW)
    known = caller_of_token("t", now=NOW)
    assert known is not None
    with pytest.raises(Misstated, match=words) as refused:
        for_person(known, header)
    assert "Ann" not in refused.value.sentence


def test_only_roles_that_the_manager_allowed_are_stated() -> None:
    application = make_application(roles=["clerk"])
    issue_token(application=application, scopes=[], token="t", actor=SETUP, now=NOW)
    known = caller_of_token("t", now=NOW)
    assert known is not None
    with pytest.raises(Misstated) as refused:
        for_person(known, DOCTOR)
    assert refused.value.is_forbidden


def test_its_account_signs_nobody_in() -> None:
    account = Application.objects.get(pk=make_application().pk).account
    assert not account.is_active
    assert not account.has_usable_password()
    assert not account.memberships.exists()
