"""An appointment and its referral are rebooked as one act: nothing new rests on what was taken back."""

from typing import Any

import pytest
from django.urls import reverse

from bars_portal.accounts.permissions import Role
from bars_portal.exchange.gateway import client as gateway
from bookings.models import Booking, BookingDraft, Rebooking
from bookings.services.requesting import request_booking
from bookings.services.settling import wait_for_outcome
from bookings.states import BookingStatus
from referrals.cases.duties import DutyKind
from referrals.cases.models import Referral
from referrals.cases.states import CaseStatus
from referrals.duties.selectors import open_duties
from tests.factories.accounts import make_acting
from tests.factories.patients import DETAILS
from tests.integration.booking_pages.conftest import client_of
from tests.integration.bookings.loopback import refusing, timeout
from tests.integration.referrals.sending import Desk
from tests.integration.referrals.test_sending_links import book, booking_desk

__all__ = ["booking_desk"]
pytestmark = pytest.mark.django_db
_REFUSED = refusing(409, "REC_CONFLICT", "conflict")


@pytest.fixture
def pair(
    sender: Desk, booking_desk: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> tuple[Booking, Referral]:
    """Referred, then booked for it: the appointment rests on the referral."""
    monkeypatch.setattr(gateway._process, "config", dict(settings.BARS))
    monkeypatch.setattr(gateway._process, "client", sender.network.client)
    for module in ("common", "bookings"):
        monkeypatch.setattr(f"bookings.views.{module}.clock", lambda: sender.now)
    monkeypatch.setitem(wait_for_outcome.__kwdefaults__ or {}, "patience", 0.0)
    referral = sender.sent()
    booking = book(booking_desk, journey=referral.journey)
    assert booking.resource["basedOn"][0]["reference"].endswith(referral.remote_id)
    return booking, referral


def confirm_page(booking: Booking, booking_desk: Any) -> str:
    draft = booking_desk.draft()
    BookingDraft.objects.filter(pk=draft.pk).update(
        replaces=booking, journey=booking.journey, approved_by=booking_desk.acting.user
    )
    return reverse("bookings:rebook-confirm", args=[draft.pk])


def rebook(booking: Booking, booking_desk: Any, **said: str) -> Any:
    typed = {"reason": "patient", "details": "", "reassessed": "unchanged", **said}
    return client_of(booking_desk.acting).post(confirm_page(booking, booking_desk), typed)


def referrals_now() -> list[tuple[str, bool]]:
    rows = Referral.objects.filter(direction="sent").order_by("created_at", "pk")
    return [(each.status, bool(each.booking_ids)) for each in rows]


def plan_of(booking: Booking) -> Rebooking:
    return Rebooking.objects.select_related("booked", "cancelled").get(cancelled=booking)


def shown(booking: Booking, sender: Desk) -> str:
    page = client_of(sender.acting).get(reverse("bookings:detail", args=[booking.pk]))
    return " ".join(page.content.decode().split())


def test_as_one_act(sender: Desk, booking_desk: Any, pair: tuple[Booking, Referral]) -> None:
    booking, referral = pair
    page = client_of(sender.acting).get(confirm_page(booking, booking_desk)).content.decode()
    assert "The referral goes anew too" in page
    assert reverse("referrals:sent-case", args=[referral.pk]) in page
    rebook(booking, booking_desk)
    sender.network.deliver_all()
    assert referrals_now() == [(CaseStatus.REVOKED, False), (CaseStatus.SENT, False)]
    made = Referral.objects.exclude(pk=referral.pk).get(direction="sent")
    new = plan_of(booking).booked
    assert new is not None
    assert new.status == BookingStatus.BOOKED
    assert new.resource["basedOn"] == [{"reference": f"ServiceRequest/{made.remote_id}"}]
    assert not open_duties(sender.acting).exists()
    for changes in (new.changes.all(), referral.casestatuschange_rows.all()):
        assert any("what was found still holds" in each.note for each in changes)


def test_who_was_not_assessed_again_is_not_rebooked(
    sender: Desk, booking_desk: Any, pair: tuple[Booking, Referral]
) -> None:
    booking, _ = pair
    for answer, words in (("not-yet", "Assess the patient again first"), ("changed", "Refer again first")):
        told = rebook(booking, booking_desk, reassessed=answer)
        assert words in told.content.decode()
    assert (
        "Select whether the patient was assessed again"
        in rebook(booking, booking_desk, reassessed="").content.decode()
    )
    booking.refresh_from_db()
    assert booking.status == BookingStatus.BOOKED


def test_a_new_referral_that_is_refused_is_said_loudly(
    sender: Desk, booking_desk: Any, pair: tuple[Booking, Referral]
) -> None:
    """Cancelled and taken back, and nothing new: the page says so, and a time can be chosen without it."""
    booking, _ = pair
    rebook(booking, booking_desk)
    answered = sender.network._receiver
    sender.network.before += [answered, answered, _REFUSED]
    sender.network.deliver_all()
    booking.refresh_from_db()
    assert (booking.status, plan_of(booking).booked) == (BookingStatus.CANCELLED, None)
    page = shown(booking, sender)
    assert "The patient has no appointment" in page
    assert "the new one was NOT taken" in page
    draft = plan_of(booking).draft
    assert draft is not None
    alone = request_booking(draft=draft, details=DETAILS, acting=sender.acting, now=sender.now)
    sender.network.deliver_all()
    alone.refresh_from_db()
    assert alone.status == BookingStatus.BOOKED
    assert "basedOn" not in alone.resource
    assert [each.kind for each in open_duties(sender.acting)] == [DutyKind.REFERRAL]


def test_taking_back_that_is_refused_holds_the_rest(
    sender: Desk, booking_desk: Any, pair: tuple[Booking, Referral]
) -> None:
    booking, referral = pair
    rebook(booking, booking_desk)
    sender.network.before += [_REFUSED]
    sender.network.deliver_all()
    referral.refresh_from_db()
    assert (referral.status, plan_of(booking).booked) == (CaseStatus.SENT, None)
    assert "was NOT taken back" in shown(booking, sender)


def test_a_new_referral_that_is_not_known_is_waited_for(
    sender: Desk, booking_desk: Any, pair: tuple[Booking, Referral]
) -> None:
    booking, _ = pair
    rebook(booking, booking_desk)
    answered = sender.network._receiver
    sender.network.before += [answered, answered, timeout]
    sender.network.deliver_all()
    assert plan_of(booking).booked is None
    assert "It is not known whether the new referral arrived" in shown(booking, sender)
    made = Referral.objects.order_by("-created_at").filter(direction="sent").first()
    assert made is not None
    sender.check_again(made)
    sender.network.deliver_all()
    new = plan_of(booking).booked
    assert new is not None
    assert new.status == BookingStatus.BOOKED


def test_who_may_not_refer_books_without_it(
    sender: Desk, booking_desk: Any, pair: tuple[Booking, Referral]
) -> None:
    """Never on the old one; the task is a clinician's."""
    booking, referral = pair
    booking_desk.acting = make_acting(role=Role.CLERK, organisation=sender.acting.organisation)
    page = client_of(booking_desk.acting).get(confirm_page(booking, booking_desk)).content.decode()
    assert "The referral stays with the old appointment" in page
    rebook(booking, booking_desk)
    sender.network.deliver_all()
    referral.refresh_from_db()
    new = plan_of(booking).booked
    assert new is not None
    assert (referral.status, "basedOn" in new.resource) == (CaseStatus.SENT, False)
    assert [each.booking for each in open_duties(sender.acting)] == [new]
