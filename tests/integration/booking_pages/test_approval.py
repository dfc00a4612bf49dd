"""A time outside the assessment's time frame: clinicians confirm it, clerks name the clinician who does."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bars_portal.accounts.permissions import PolicyRefused, Role
from bars_portal.audit.models import AuditEvent
from bookings.models import Booking, BookingDraft
from bookings.policies import frame_missed_by
from bookings.selectors.sent import history_of
from bookings.services.requesting import approve_time
from referrals.cases.models import Case
from referrals.cases.states import CaseStatus, Category
from tests.factories.accounts import make_acting, make_user
from tests.factories.referrals import make_sent_case
from tests.integration.booking_pages.conftest import ANSWERS, Office, client_of

REASON = "Seen by the practice nurse until then"


@pytest.fixture
def case(office: Office) -> Case:
    """Sent, to be seen within the hour; the times offered are later."""
    made = make_sent_case(Category.REFERRAL, organisation=office.acting.organisation, service=office.service)
    made.occurrence_start, made.breach_at = office.network.now, office.network.now + timedelta(minutes=5)
    made.status = CaseStatus.SENT
    made.save()
    return made


def choose(office: Office, client: Client, case: Case) -> Any:
    address = reverse("bookings:slots", args=[office.service.service_id], query={"journey": case.journey_id})
    return client.post(address, {"slot": office.chosen()})


def as_clerk(office: Office) -> Client:
    return client_of(make_acting(role=Role.CLERK, organisation=office.acting.organisation))


def page_of(client: Client, address: str) -> str:
    return unescape(" ".join(client.get(address).content.decode().split()))


def test_a_clerk_names_the_clinician(office: Office, case: Case) -> None:
    clerk = as_clerk(office)
    address = choose(office, clerk, case)["Location"]
    draft = BookingDraft.objects.get()
    assert address == reverse("bookings:approval", args=[draft.pk])
    assert "Only a clinician may decide this" in page_of(clerk, address)
    check = reverse("bookings:check", args=[draft.pk])
    assert clerk.post(check)["Location"] == address, "nothing is booked without one"
    told = unescape(clerk.post(address, {"reason": REASON}).content.decode())
    assert "Select the clinician who approves this time" in told
    clinician = office.acting.user
    clerk.post(address, {"approver": str(clinician.pk), "reason": REASON})
    clerk.post(reverse("bookings:patient", args=[draft.pk]), ANSWERS)
    assert REASON in page_of(clerk, check)
    late = "After the time by which the patient is to be seen"
    assert late in page_of(clerk, check)
    clerk.post(check)
    booking = Booking.objects.get(draft_id=draft.pk)
    assert (booking.approved_by, booking.approval_reason) == (clinician, REASON)
    assert booking.journey_id == case.journey_id
    assert "approved by" in history_of(booking)[0].note
    event = AuditEvent.objects.get(action="bookings.approve_time")
    assert event.detail == {"approver": clinician.pk}
    shown = page_of(clerk, reverse("bookings:detail", args=[booking.pk]))
    assert REASON in shown
    assert late in shown
    Booking.objects.filter(pk=booking.pk).update(status="cancelled")
    assert late not in page_of(clerk, reverse("bookings:detail", args=[booking.pk]))


def test_only_clinicians_of_the_organisation_can_be_named(office: Office, case: Case) -> None:
    clerk = as_clerk(office)
    address = choose(office, clerk, case)["Location"]
    for other in (make_user(role=Role.CLINICIAN), make_user(role=Role.CLERK)):
        page = clerk.post(address, {"approver": str(other.pk), "reason": REASON})
        assert "There is a problem" in page.content.decode()
    assert BookingDraft.objects.get().approved_by is None
    draft = BookingDraft.objects.get()
    with pytest.raises(PolicyRefused, match="Choose a clinician"):
        approve_time(
            draft=draft,
            approver=draft.user,
            reason=REASON,
            acting=make_acting(user=draft.user),
            now=office.network.now,
        )


def test_a_clinician_is_warned_and_confirms(office: Office, case: Case) -> None:
    address = choose(office, office.client, case)["Location"]
    assert "Outside the time frame of the assessment" in page_of(office.client, address)
    told = office.client.post(address, {"reason": REASON}).content.decode()
    assert "Confirm that this time is safe" in told
    office.client.post(address, {"confirmed": "on", "reason": REASON})
    assert BookingDraft.objects.get().approved_by == office.acting.user


def test_another_time_needs_another_approval(office: Office, case: Case) -> None:
    address = choose(office, office.client, case)["Location"]
    office.client.post(address, {"confirmed": "on", "reason": REASON})
    draft = BookingDraft.objects.get()
    times = reverse("bookings:slots", args=[office.service.service_id], query={"draft": draft.pk})
    again = office.client.post(times, {"slot": office.chosen(1)})
    assert again["Location"] == address
    draft.refresh_from_db()
    assert (draft.approved_by, draft.approval_reason) == (None, "")


@pytest.mark.parametrize("change", ["late enough", "over", "no time"])
def test_a_time_that_fits_needs_nobody(office: Office, case: Case, change: str) -> None:
    if change == "late enough":
        case.breach_at = office.network.now + timedelta(days=9)
    elif change == "over":
        case.status = CaseStatus.REVOKED
    else:
        case.breach_at = case.occurrence_start = None
    case.save()
    clerk = as_clerk(office)
    assert "/check/" in choose(office, clerk, case)["Location"], "the patient is known"
    assert frame_missed_by(BookingDraft.objects.get()) is None


def test_the_case_of_others_is_not_there(office: Office) -> None:
    foreign = make_sent_case(Category.REFERRAL)
    assert choose(office, office.client, foreign).status_code == 404
