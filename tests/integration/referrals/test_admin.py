"""Staff pages: shown, never changed; own organisation only; no patient in lists."""

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from bars_portal.accounts.permissions import Role
from bars_portal.audit.models import AuditEvent
from bars_portal.exchange.models import InboundMessage, InboundState
from referrals.cases.models import UnmatchedReply
from referrals.cases.states import Category
from tests.factories.accounts import make_user
from tests.factories.bookings import NOW
from tests.factories.referrals import make_case, make_hub

pytestmark = pytest.mark.django_db
MODELS = {Category.REFERRAL: "referral", Category.VALIDATION: "validationcase"}


@pytest.fixture
def staff() -> Client:
    client = Client()
    user = make_user(role=Role.AUDITOR, is_superuser=True)
    client.force_login(user, backend="bars_portal.accounts.acting.RoleBackend")
    return client


@pytest.mark.parametrize("category", Category)
def test_cases_are_shown_and_never_changed(staff: Client, category: Category) -> None:
    case = make_case(category, reference="RIV-7K3M-Q2")
    listed = staff.get(reverse(f"admin:referrals_{MODELS[category]}_changelist"))
    assert b"RIV-7K3M-Q2" in listed.content
    assert b"QUILL" not in listed.content.upper()
    shown = staff.get(reverse(f"admin:referrals_{MODELS[category]}_change", args=[case.pk]))
    assert b"QUILL, Ada Mary" in shown.content
    assert b"9449306621" not in shown.content
    assert b"_save" not in shown.content
    action = f"referrals.view_{MODELS[category]}"
    assert AuditEvent.objects.filter(action=action, subject_id=str(case.pk)).exists()


def test_replies_without_a_match_are_shown(staff: Client) -> None:
    case = make_case()
    message = InboundMessage.objects.create(
        request_id=uuid4(),
        correlation_id=uuid4(),
        peer="proxy",
        headers={},
        body=b"",
        received_at=NOW,
        state=InboundState.ACCEPTED,
    )
    kept = UnmatchedReply.objects.create(
        organisation=case.organisation,
        service=case.service,
        patient=case.patient,
        journey=case.journey,
        kind="did-not-attend",
        bundle_id=str(uuid4()),
        answers_bundle_id=str(uuid4()),
        message=message,
        received_at=NOW,
        sender_name="Somebody Else",
    )
    listed = staff.get(reverse("admin:referrals_unmatchedreply_changelist"))
    assert b"Somebody Else" in listed.content
    assert b"QUILL" not in listed.content.upper()
    shown = staff.get(reverse("admin:referrals_unmatchedreply_change", args=[kept.pk]))
    assert b"QUILL, Ada Mary" in shown.content
    assert b"_save" not in shown.content


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.ENGINEER])
def test_others_have_no_business_here(role: Role) -> None:
    client = Client()
    client.force_login(
        make_user(role=role, organisation=make_hub().provider),
        backend="bars_portal.accounts.acting.RoleBackend",
    )
    for page in (*MODELS.values(), "unmatchedreply"):
        assert client.get(reverse(f"admin:referrals_{page}_changelist")).status_code in (302, 403)
