"""Every write under its Idempotency-Key: once, whatever is repeated, at once or after a kill."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Model
from django.utils import timezone

from bars_portal.api import idempotency
from bars_portal.api.idempotency import LEASE, Attempt, claim, forget_answers
from bars_portal.api.models import Event, KeyedRequest, Webhook, WebhookDelivery
from bars_portal.api.problems import Problem
from bars_portal.api.schema import document
from bars_portal.audit.models import AuditEvent
from bars_portal.exchange.models import OutboundMessage
from bars_portal.patients.models import Patient
from bookings.models import Booking
from bookings.states import BookingStatus
from tests.factories.api import make_application
from tests.integration.api.conftest import PATIENT, Calls, World
from tests.integration.api.writes import OPERATIONS, Writes, kept_before, writes
from tests.profiles import examples

__all__ = ["kept_before", "writes"]
# A frame of one kind each: the same three at once for every other operation is thorough.
SAMPLE = {"create-booking", "create-referral", "start-case", "add-case-note"}
AT_ONCE = [pytest.param(each, marks=[] if each in SAMPLE else [pytest.mark.thorough]) for each in OPERATIONS]


def done() -> Counter[tuple[str, str, str]]:
    """What the trail says was done, looks apart: every write is there."""
    rows = AuditEvent.objects.exclude(action__regex=r"\.(view|export|search)_")
    told = rows.values_list("action", "subject_type", "subject_id")
    return Counter((action, kind, str(subject)) for action, kind, subject in told)


def rows() -> dict[str, int]:
    """How many there are of everything that a write could double."""
    kept = (*apps.get_app_config("bookings").get_models(), *apps.get_app_config("referrals").get_models())
    models: tuple[type[Model], ...]
    models = (*kept, Patient, OutboundMessage, Event, Webhook, WebhookDelivery)
    counts = [f"SELECT '{each._meta.label}', count(*) FROM {each._meta.db_table}" for each in models]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(counts))
        return dict(cursor.fetchall())


def test_every_write_is_here() -> None:
    keyed = {
        operation["operationId"]
        for verbs in document()["paths"].values()
        for operation in verbs.values()
        if any(each["name"] == "Idempotency-Key" for each in operation["parameters"])
    }
    assert set(OPERATIONS) == keyed


@pytest.mark.django_db
@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_a_repeat_gets_the_first_answer_also_after_a_kill(
    writes: Writes, operation_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between commit and answer, then made again and repeated: each thing exists once."""
    write, before = writes.of(operation_id), done()
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(idempotency, "_settle", _kill)
        write.send("k1")
    once, there = done(), rows()
    assert once - before, "nothing was written"
    assert KeyedRequest.objects.get(key="k1").written_at is not None
    for _ in range(examples(2, thorough=3)):
        again = write.send("k1")
        assert again.status_code in (200, 201, 202), again.content
        assert again["Idempotent-Replayed"] == "true"
    assert (done(), rows()) == (once, there)
    other = write.send("k1", surprise=1)
    assert (other.status_code, other.json()["title"]) == (422, "The key was used for another request")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("operation_id", AT_ONCE)
def test_three_at_once_are_one(writes: Writes, operation_id: str) -> None:
    write, start = writes.of(operation_id), Barrier(3)
    three = [Calls(write.calls.application) for _ in range(3)]
    before = done()

    def send(calls: Calls) -> tuple[int, bool]:
        try:
            start.wait(timeout=10)
            answer = write.send("same", calls=calls)
            return int(answer.status_code), "Idempotent-Replayed" in answer
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(send, three))
    assert {status for status, _ in answers} <= {200, 201, 202, 409}
    assert [status < 300 for status, replayed in answers if not replayed].count(True) == 1
    assert set((done() - before).values()) == {1}
    assert write.send("same")["Idempotent-Replayed"] == "true"


class Killed(BaseException):
    """As a kill -9: nothing after it runs."""


def _kill(*_: object) -> None:
    raise Killed


@pytest.mark.django_db
def test_an_answer_is_the_very_same_with_its_headers(world: World) -> None:
    path, body = new_booking(world)
    first, again = (world.calls.post(path, body, key="k1") for _ in range(2))
    assert (again.status_code, again.content, again["Location"]) == (202, first.content, first["Location"])
    assert ("Idempotent-Replayed" in first, again["Idempotent-Replayed"]) == (False, "true")


def new_booking(world: World) -> tuple[str, dict[str, Any]]:
    return "bookings", {"slot": world.slot_ids()[0], "patient": PATIENT}


def written() -> tuple[int, int]:
    return Booking.objects.count(), OutboundMessage.objects.count()


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
