"""Break-glass access: for a reason, of the own organisation, for half an hour, on the trail, reviewed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from bars_portal.accounts.acting import resolve_acting, under_break_glass
from bars_portal.accounts.break_glass import access
from bars_portal.accounts.models import BreakGlass, Organisation, User
from bars_portal.accounts.permissions import BROKEN_GLASS_GIVES, PolicyRefused, Role
from bars_portal.audit.models import AuditEvent
from tests.factories.accounts import PASSWORD, add_membership, make_acting, make_organisation, make_user
from tests.factories.bookings import make_booking
from tests.integration.accounts.conftest import SIGN_IN

pytestmark = pytest.mark.django_db
PAGE, USES, REASON = "/accounts/break-glass/", "/accounts/break-glass/uses/", "Ward 3 asks about a fall"


@pytest.fixture
def organisation(db: None) -> Organisation:
    return make_organisation()


@pytest.fixture
def engineer(organisation: Organisation) -> User:
    return make_user(role=Role.ENGINEER, organisation=organisation, username="engineer")


@pytest.fixture
def signed_in(client: Client, engineer: User) -> Client:
    client.post(SIGN_IN, {"username": "engineer", "password": PASSWORD})
    return client


def reviewer(organisation: Organisation) -> Client:
    client = Client()
    client.force_login(make_user(role=Role.AUDITOR, organisation=organisation))
    return client


def end_now(**changes: Any) -> None:
    BreakGlass.objects.update(ends_at=datetime.now(UTC) - timedelta(seconds=1), **changes)


def test_it_opens_the_own_organisation_for_a_reason_and_is_on_every_page_and_event(
    signed_in: Client, organisation: Organisation
) -> None:
    ours = f"/bookings/{make_booking(organisation=organisation).pk}/"
    theirs = f"/bookings/{make_booking(organisation=make_organisation()).pk}/"
    assert signed_in.get(ours).status_code == 403
    assert "Enter why you need it" in signed_in.post(PAGE, {"reason": ""}).content.decode()
    assert not BreakGlass.objects.exists()
    signed_in.post(PAGE, {"reason": REASON})
    taken = BreakGlass.objects.get()
    for path in (ours, "/", "/admin/", "/accounts/security/"):
        assert "Break-glass access until" in signed_in.get(path).content.decode(), path
    assert signed_in.get(theirs).status_code == 404
    assert signed_in.post(f"{ours}cancel/").status_code == 403, "it is for reading"
    looked = AuditEvent.objects.get(action="bookings.view_booking")
    assert looked.detail["break_glass"] == str(taken.pk)
    refused = AuditEvent.objects.filter(outcome="refused").latest("pk")
    assert refused.detail["break_glass"] == str(taken.pk)
    assert not AuditEvent.objects.filter(detail__contains={"reason": REASON}).exists()
    end_now()
    assert signed_in.get(ours).status_code == 403
    assert "Break-glass access until" not in signed_in.get("/").content.decode()


def test_it_is_of_one_browser_and_ends_when_they_say_so(signed_in: Client) -> None:
    signed_in.post(PAGE, {"reason": REASON})
    other = Client()
    other.post(SIGN_IN, {"username": "engineer", "password": PASSWORD})
    assert other.get("/bookings/").status_code == 403
    assert signed_in.get("/bookings/").status_code == 200
    signed_in.post(f"{PAGE}end/")
    assert signed_in.get("/bookings/").status_code == 403
    assert BreakGlass.objects.get().ends_at <= datetime.now(UTC)


def test_it_goes_with_nobody_to_another_organisation(engineer: User, organisation: Organisation) -> None:
    now = datetime.now(UTC)
    acting = resolve_acting(engineer, {})
    assert acting is not None
    taken = access.break_glass(acting=acting, reason=REASON, now=now)
    held = {"break_glass": str(taken.pk)}
    assert under_break_glass(acting, held, now=now).permissions >= BROKEN_GLASS_GIVES
    assert under_break_glass(acting, held, now=now + access.LASTS) == acting
    elsewhere = make_organisation()
    add_membership(engineer, elsewhere, Role.ENGINEER)
    there = resolve_acting(engineer, {"acting_organisation_id": elsewhere.pk})
    assert there is not None
    assert under_break_glass(there, held, now=now) == there
    colleague = make_acting(role=Role.ENGINEER, organisation=organisation)
    assert under_break_glass(colleague, held, now=now) == colleague


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.CLERK, Role.AUDITOR, Role.INSTALLER])
def test_who_has_none(role: Role) -> None:
    with pytest.raises(PolicyRefused):
        access.break_glass(acting=make_acting(role=role), reason=REASON, now=datetime.now(UTC))


def test_somebody_else_of_the_organisation_reviews_it_once_it_is_over(
    signed_in: Client, organisation: Organisation
) -> None:
    signed_in.post(PAGE, {"reason": REASON})
    signed_in.get("/bookings/")
    use = f"{USES}{BreakGlass.objects.get().pk}/"
    privacy = reviewer(organisation)
    assert "Break-glass access to review: 1" in privacy.get("/").content.decode()
    privacy.post(use)
    assert BreakGlass.objects.get().reviewed_at is None, "it still lasts"
    end_now()
    page = privacy.get(use).content.decode()
    assert REASON in page
    assert "Opened the list of bookings sent" in page
    assert reviewer(make_organisation()).get(use).status_code == 404
    assert signed_in.get(use).status_code == 403
    privacy.post(use)
    assert BreakGlass.objects.get().reviewed_by is not None
    assert "Break-glass access to review" not in privacy.get("/").content.decode()
    with pytest.raises(PolicyRefused, match="You took it yourself"):
        own = make_acting(role=Role.AUDITOR, organisation=organisation)
        BreakGlass.objects.update(user=own.user)
        access.review(acting=own, taken=BreakGlass.objects.get(), now=datetime.now(UTC))


def test_who_reviews_it_is_mailed_once_and_reads_nothing_there(
    signed_in: Client, organisation: Organisation, settings: Any
) -> None:
    signed_in.post(PAGE, {"reason": REASON})
    now = datetime.now(UTC)
    assert access.mail_reviewers(now=now) == 0, "no server"
    settings.EMAIL_HOST = "mail.example.org"
    for role, where in ((Role.AUDITOR, organisation), (Role.CLERK, organisation), (Role.AUDITOR, None)):
        person = make_user(role=role, organisation=where)
        User.objects.filter(pk=person.pk).update(email=f"{person.username}@example.org")
    lead = User.objects.get(memberships__role="auditor", memberships__organisation=organisation)
    assert [access.mail_reviewers(now=now) for _ in range(2)] == [1, 0]
    (message,) = mail.outbox
    assert message.to == [lead.email]
    assert REASON not in message.body
    assert "engineer" not in message.body
