"""What somebody must take and close: raised by an answer or a booking, alarmed until it is closed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.home import items_for
from bars_portal.accounts.permissions import PolicyRefused, Role
from bars_portal.audit.models import AuditEvent
from bars_portal.exchange.fhir.codes import FlagCategory, SceneSafety, UseCase
from bookings.models import Booking
from bookings.states import BookingStatus
from referrals.cases.codes import Concept
from referrals.cases.duties import (
    Duty,
    DutyKind,
    close_duty,
    duty_for,
    duty_of_reply,
    give_back_duty,
    open_duties,
    settle_update_duty,
    take_duty,
)
from referrals.cases.models import CaseReply, Referral, ValidationCase
from referrals.cases.states import Category, ReplyKind
from referrals.parts.flags import Flag
from referrals.worklist.sent import Waiting, sent_cases, validation_counts
from tests.factories.accounts import make_acting
from tests.integration.booking_pages.conftest import client_of
from tests.integration.referrals.sending import Desk
from tests.integration.referrals.test_sending_links import book, booking_desk

__all__ = ["booking_desk"]
pytestmark = pytest.mark.django_db
_SCENE = SceneSafety.UNSAFE
_UNSAFE = Flag(FlagCategory.SCENE_SAFETY, Concept(_SCENE.system, _SCENE.value, _SCENE.display, "A dog"))


@pytest.fixture
def asked(sender: Desk) -> ValidationCase:
    case: ValidationCase = sender.sent(Category.VALIDATION)
    return case


def waiting(acting: Acting) -> list[tuple[str, str]]:
    return [(each.kind, str(each.subject.pk)) for each in open_duties(acting)]


def test_a_rejection_waits_until_somebody_has_closed_it(sender: Desk, asked: ValidationCase) -> None:
    sender.hear(asked, "cancelled")
    assert waiting(sender.acting) == [(DutyKind.REJECTED, str(asked.pk))]
    alarm = next(each for each in items_for(sender.acting, sender.now) if "tasks" in each.label)
    assert (alarm.count, alarm.urgent, alarm.url) == (1, True, reverse("referrals:duties"))
    duty = take_duty(duty=open_duties(sender.acting).get(), acting=sender.acting, now=sender.now)
    assert waiting(sender.acting), "taken is not closed"
    closed = close_duty(
        duty=duty,
        raised_at=duty.raised_at,
        outcome=" Asked \n another ",
        acting=sender.acting,
        now=sender.now,
    )
    assert (closed.outcome, closed.closed_by, waiting(sender.acting)) == (
        "Asked another",
        sender.acting.user,
        [],
    )
    told = AuditEvent.objects.filter(action__contains="_duty", subject_id=str(asked.pk)).order_by("pk")
    assert [each.action.split(".")[1] for each in told] == ["raise_duty", "take_duty", "close_duty"]


@pytest.mark.parametrize(
    ("action_needed", "kind"), [(True, DutyKind.AMBULANCE), (None, DutyKind.UNCLEAR), (False, None)]
)
def test_an_outcome_that_does_not_say_that_nothing_is_needed_is_a_duty(
    sender: Desk, asked: ValidationCase, action_needed: bool | None, kind: DutyKind | None
) -> None:
    assert duty_of_reply(asked, CaseReply(kind=ReplyKind.FULL, action_needed=action_needed)) is kind


def test_where_the_validations_stand(sender: Desk, asked: ValidationCase) -> None:
    rejected = sender.sent(Category.VALIDATION)
    sender.hear(rejected, "cancelled")
    counts = validation_counts(sender.acting, sender.now)
    assert counts == {Waiting.PENDING: 1, Waiting.TO_ACT: 1, Waiting.CLOSED: 0}
    (row,) = sent_cases(sender.acting, now=sender.now, status=Waiting.TO_ACT).rows
    assert row.id == rejected.pk
    duty = open_duties(sender.acting).get()
    close_duty(duty=duty, raised_at=duty.raised_at, outcome="Done", acting=sender.acting, now=sender.now)
    counts = validation_counts(sender.acting, sender.now)
    assert counts == {Waiting.PENDING: 1, Waiting.TO_ACT: 0, Waiting.CLOSED: 1}


def test_news_makes_it_nobodys_again(sender: Desk, asked: ValidationCase) -> None:
    """Whoever had taken it, or is about to close it, does not know of the newest answer."""
    sender.hear(asked, "cancelled")
    duty = take_duty(duty=open_duties(sender.acting).get(), acting=sender.acting, now=sender.now)
    read = duty.raised_at
    sender.tick()
    sender.hear(asked, "cancelled")
    again = open_duties(sender.acting).get()
    assert (again.pk, again.taken_by, again.raised_at > read) == (duty.pk, None, True)
    with pytest.raises(PolicyRefused, match="news"):
        close_duty(duty=duty, raised_at=read, outcome="Done", acting=sender.acting, now=sender.now)
    with pytest.raises(PolicyRefused, match="news"):
        give_back_duty(duty=duty, acting=sender.acting, now=sender.now)


def test_it_is_the_organisations_own(sender: Desk, asked: ValidationCase) -> None:
    sender.hear(asked, "cancelled")
    duty = open_duties(sender.acting).get()
    stranger = make_acting()
    assert duty_for(stranger, duty.pk) is None
    with pytest.raises(PolicyRefused, match="another organisation"):
        take_duty(duty=duty, acting=stranger, now=sender.now)
    auditor = make_acting(role=Role.AUDITOR, organisation=sender.acting.organisation)
    assert open_duties(auditor).count() == 1
    with pytest.raises(PolicyRefused, match="not allowed"):
        take_duty(duty=duty, acting=auditor, now=sender.now)


@pytest.mark.django_db(transaction=True)
def test_two_take_it_at_once(sender: Desk) -> None:
    asked = sender.sent(Category.VALIDATION)
    sender.hear(asked, "cancelled")
    duty = open_duties(sender.acting).get()
    people = [make_acting(organisation=sender.acting.organisation) for _ in range(2)]

    seen = [duty_for(each, duty.pk) for each in people]
    assert all(seen)
    with ThreadPoolExecutor(2) as pool:
        won = list(pool.map(lambda each: _takes(each[0], each[1], sender), zip(people, seen, strict=True)))
    assert sorted(won) == [False, True]


def _takes(acting: Acting, seen: Any, sender: Desk) -> bool:
    try:
        take_duty(duty=seen, acting=acting, now=sender.now)
    except PolicyRefused:
        return False
    finally:
        connection.close()
    return True


def test_one_open_duty_of_a_kind(sender: Desk, asked: ValidationCase) -> None:
    sender.hear(asked, "cancelled")
    with pytest.raises(IntegrityError), transaction.atomic():
        Duty.objects.create(
            kind=DutyKind.REJECTED,
            organisation=asked.organisation,
            validation=asked,
            raised_at=sender.now,
        )


def test_an_appointment_without_its_referral(sender: Desk, booking_desk: Any) -> None:
    """Raised with the booking, settled by the referral, and back when that is taken back."""
    booking = book(booking_desk)
    assert waiting(sender.acting) == [(DutyKind.REFERRAL, str(booking.pk))]
    referral = sender.sent(booking=booking)
    assert waiting(sender.acting) == []
    sender.arrive(sender.revoke(referral))
    assert waiting(sender.acting) == [(DutyKind.REFERRAL, str(booking.pk))]
    Booking.objects.filter(pk=booking.pk).update(status=BookingStatus.CANCELLED)
    sender.sent(journey=booking.journey)
    assert waiting(sender.acting) == [], "nothing stands that it could go with"


def test_what_a_person_closed_stays_closed(sender: Desk, booking_desk: Any) -> None:
    booking = book(booking_desk)
    duty = open_duties(sender.acting).get()
    close_duty(duty=duty, raised_at=duty.raised_at, outcome="On paper", acting=sender.acting, now=sender.now)
    sender.arrive(sender.revoke(sender.sent(booking=booking)))
    assert waiting(sender.acting) == []


def test_referred_first(sender: Desk, booking_desk: Any) -> None:
    referral = sender.sent()
    book(booking_desk, journey=referral.journey)
    assert waiting(sender.acting) == []


def test_the_pages(sender: Desk, asked: ValidationCase) -> None:
    sender.hear(asked, "cancelled")
    client, duty = client_of(sender.acting), open_duties(sender.acting).get()
    page = reverse("referrals:duty", args=[duty.pk])
    assert page in client.get(reverse("referrals:duties")).content.decode()
    assert page in client.get(reverse("referrals:sent-case", args=[asked.pk])).content.decode()
    assert client.post(f"{page}take/").status_code == 302
    assert "Give it back" in client.get(page).content.decode()
    nothing = client.post(page, {"raised": duty.raised_at.isoformat(), "outcome": " "}).content.decode()
    assert "Enter what was done" in nothing and "Error: " in nothing
    old = (duty.raised_at - timedelta(seconds=1)).isoformat()
    assert client.post(page, {"raised": old, "outcome": "Called"})["Location"] == page
    done = client.post(page, {"raised": duty.raised_at.isoformat(), "outcome": "Called"})
    assert done["Location"] == reverse("referrals:duties")
    assert "Called" in client.get(page).content.decode()


def test_what_a_responder_found_warns_of_our_own_case(sender: Desk) -> None:
    """And an ambulance control that has the patient is to hear of it; an update settles that."""
    asked = sender.sent(Category.VALIDATION, flags=(_UNSAFE,))
    told = sender.sent(use_case=UseCase.A6T2)
    Referral.objects.filter(pk=told.pk).update(journey=asked.journey)
    # The answer repeats what was asked: here that the scene is not safe, which our case did not say.
    ValidationCase.objects.filter(pk=asked.pk).update(scene_unsafe=False, safeguarding=True)
    sender.hear(asked, "finished")
    asked.refresh_from_db()
    assert asked.scene_unsafe
    assert "the scene is not safe" in str(asked.casestatuschange_rows.last().note)
    updates = open_duties(sender.acting).filter(kind=DutyKind.UPDATE)
    assert [each.referral for each in updates] == [told]
    sender.tick()
    sender.hear(asked, "finished")
    assert updates.all().count() == 1
    settle_update_duty(referral=told, actor=sender.acting.actor, now=sender.now)
    assert not updates.all().exists()


@pytest.mark.parametrize(("status", "warned"), [("sent", False), ("in-progress", True)])
def test_an_update_after_the_interim_is_warned_of(
    sender: Desk, asked: ValidationCase, status: str, warned: bool
) -> None:
    if warned:
        sender.hear(asked, "in-progress")
    page = client_of(sender.acting).get(reverse("referrals:new", query={"update": str(asked.pk)}))
    assert ("The consultation has begun" in page.content.decode()) is warned


def test_an_ambulance_control_is_told_of_each_critical_fact(sender: Desk) -> None:
    told = sender.sent(use_case=UseCase.A6T2)
    client = client_of(sender.acting)
    page = reverse("referrals:sent-case", args=[told.pk])
    assert "each time something critical becomes known" in client.get(page).content.decode()
    client.post(reverse("referrals:new", query={"update": str(told.pk)}), {"use_case": "a6t2"})
    assert "began an update at" in client.get(page).content.decode()
