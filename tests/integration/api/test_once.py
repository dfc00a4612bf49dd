"""Every write under its Idempotency-Key: once, whatever is repeated, at once or after a kill."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from bars_portal.api import idempotency
from bars_portal.api.idempotency import LEASE, Attempt, claim, forget_answers
from bars_portal.api.models import KeyedRequest
from bars_portal.api.problems import Problem
from bars_portal.exchange.models import OutboundMessage
from bookings.models import Booking
from bookings.states import BookingStatus
from referrals.api.referrals import EXAMPLE_CONTENT
from referrals.cases.models import Referral
from referrals.cases.states import Category
from tests.factories.api import make_application
from tests.integration.api.conftest import DOCTOR, PATIENT, Calls, World

Write = Callable[[World], tuple[str, dict[str, Any]]]


def new_booking(world: World) -> tuple[str, dict[str, Any]]:
    return "bookings", {"slot": world.slot_ids()[0], "patient": PATIENT}


def cancellation(world: World) -> tuple[str, dict[str, Any]]:
    return f"bookings/{world.booked()['id']}/cancel", {"reason": "patient"}


def new_time(world: World) -> tuple[str, dict[str, Any]]:
    booked = world.booked()
    return f"bookings/{booked['id']}/rebook", {"slot": world.slot_ids()[0], "reason": "patient"}


def new_referral(world: World) -> tuple[str, dict[str, Any]]:
    world.service.takes_referrals = True
    world.service.save()
    content = EXAMPLE_CONTENT[Category.REFERRAL]
    about = {"service": world.service.service_id, "use_case": "a1t2"}
    return "referrals", {**about, "patient": PATIENT, "content": content}


WRITES = [new_booking, cancellation, new_time, new_referral]


def written() -> tuple[int, int]:
    return Booking.objects.count() + Referral.objects.count(), OutboundMessage.objects.count()


@pytest.mark.django_db
@pytest.mark.parametrize("write", WRITES)
def test_a_repeat_gets_the_first_answer(world: World, write: Write) -> None:
    path, body = write(world)
    first = world.calls.post(path, body, key="k1", x_acting_user=DOCTOR)
    assert first.status_code == 202, first.content
    before = written()
    again = world.calls.post(path, body, key="k1", x_acting_user=DOCTOR)
    assert (again.status_code, again.content, again["Location"]) == (202, first.content, first["Location"])
    assert (again["Idempotent-Replayed"], "Idempotent-Replayed" in first) == ("true", False)
    assert written() == before
    other = world.calls.post(path, {**body, "patient": {}}, key="k1", x_acting_user=DOCTOR)
    assert (other.status_code, other.json()["title"]) == (422, "The key was used for another request")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("write", WRITES)
def test_three_at_once_are_one(world: World, write: Write) -> None:
    path, body = write(world)
    before, start = written(), Barrier(3)

    def send(_: int) -> int:
        try:
            calls = Calls(world.calls.application)
            start.wait(timeout=10)
            return int(calls.post(path, body, key="same", x_acting_user=DOCTOR).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        statuses = Counter(pool.map(send, range(3)))
    assert set(statuses) <= {202, 409}
    assert statuses[202] >= 1
    more = 0 if write is cancellation or write is new_time else 1
    assert written() == (before[0] + more, before[1] + 1)
    assert world.calls.post(path, body, key="same", x_acting_user=DOCTOR).status_code == 202


class Killed(BaseException):
    """As a kill -9: nothing after it runs."""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("write", WRITES)
def test_a_kill_between_commit_and_answer_does_not_double(
    world: World, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, body = write(world)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(idempotency, "_settle", _kill)
        world.calls.post(path, body, key="k", x_acting_user=DOCTOR)
    before = written()
    assert KeyedRequest.objects.get(key="k").written_at is not None
    answer = world.calls.post(path, body, key="k", x_acting_user=DOCTOR)
    assert answer.status_code == 202, answer.content
    assert answer["Location"].endswith(answer.json()["id"])
    assert answer["Idempotent-Replayed"] == "true"
    assert written() == before


def _kill(*_: object) -> None:
    raise Killed


@pytest.mark.django_db(transaction=True)
def test_a_kill_before_the_commit_leaves_nothing_and_the_key_free_after_a_while(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, body = new_booking(world)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr("bookings.api.bookings.book_at_once", _kill_keyword)
        world.calls.post(path, body, key="k")
    assert written() == (0, 0)
    busy = world.calls.post(path, body, key="k")
    assert (busy.status_code, busy["Retry-After"]) == (409, "2")
    KeyedRequest.objects.update(lease_until=timezone.now())
    assert world.calls.post(path, body, key="k").status_code == 202
    assert written() == (1, 1)


def _kill_keyword(**_: object) -> None:
    raise Killed


@pytest.mark.django_db
def test_whoever_lost_the_lease_may_not_write_any_more() -> None:
    application, now = make_application(), timezone.now()
    late = claim(application=application, key="k", fingerprint="f", now=now)
    with pytest.raises(Problem):
        claim(application=application, key="k", fingerprint="f", now=now)
    taken = claim(application=application, key="k", fingerprint="f", now=now + LEASE)
    assert isinstance(late, Attempt)
    assert isinstance(taken, Attempt)
    with taken.writing() as attempt:
        attempt.subject_id = "1"
    with pytest.raises(idempotency.Superseded), late.writing():
        pass


@pytest.mark.django_db
def test_a_key_is_kept_for_a_day_and_is_each_applications_own() -> None:
    application, now = make_application(), timezone.now()
    claim(application=application, key="k", fingerprint="f", now=now)
    assert isinstance(claim(application=make_application(), key="k", fingerprint="g", now=now), Attempt)
    later = now + timedelta(hours=24)
    assert isinstance(claim(application=application, key="k", fingerprint="g", now=later), Attempt)
    assert forget_answers(now=later) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", " ", "a b", "ä", "x" * 256])
def test_a_write_needs_a_usable_key(calls: Calls, key: str) -> None:
    refused = calls.client.post(
        "/api/v1/bookings",
        {},
        content_type="application/json",
        headers={**calls.headers, "Idempotency-Key": key},
    )
    assert refused.json()["title"] == "Idempotency-Key is missing"


@pytest.mark.django_db
def test_a_slip_frees_the_key_and_answers_are_kept_unreadable(world: World) -> None:
    path, body = new_booking(world)
    assert world.calls.post(path, {**body, "patient": {}}, key="k").status_code == 422
    assert world.calls.post(path, body, key="k").status_code == 202
    kept = KeyedRequest.objects.get()
    assert kept.sealed is not None
    assert b"Quill" not in bytes(kept.sealed)


def many_for_one(world: World, count: int) -> Counter[str]:
    slot = world.slot_ids()[0]
    for _ in range(count):
        made = Calls(make_application()).post("bookings", {"slot": slot, "patient": PATIENT})
        assert made.status_code == 202, made.content
    world.network.deliver_all()
    return Counter(Booking.objects.filter(direction="sent").values_list("status", flat=True))


@pytest.mark.django_db
@pytest.mark.parametrize("count", [5, pytest.param(64, marks=pytest.mark.thorough)])
def test_many_applications_want_one_slot(world: World, count: int) -> None:
    assert many_for_one(world, count) == {BookingStatus.BOOKED: 1, BookingStatus.REFUSED: count - 1}
    assert set(Booking.objects.filter(status="refused").values_list("explanation_code", flat=True)) == {
        "taken"
    }
