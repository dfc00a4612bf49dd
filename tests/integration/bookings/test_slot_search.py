"""Asking for slots: what is sent, and a plain reason whenever there are none."""

from datetime import UTC, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bars_portal.audit.models import AuditEvent
from bookings.models import Slot, SlotStatus
from bookings.slots import SlotProblem, SlotSearch, search_slots
from directory.remote import sender_identity
from tests.factories.bookings import NOW, TOMORROW
from tests.integration.bookings.conftest import Desk
from tests.integration.bookings.loopback import answering, refusing, timeout, unreachable


def search(desk: Desk) -> SlotSearch:
    return search_slots(
        desk.network.client,
        service=desk.service,
        start=TOMORROW.astimezone(UTC),
        end=TOMORROW + timedelta(hours=1),
        sender=sender_identity(desk.acting),
        now=NOW,
    )


def test_the_request_is_the_standards_own(desk: Desk) -> None:
    found = search(desk)
    assert found.problem is None
    asked = desk.network.requests[0].url.params.multi_items()
    assert ("status", "free") in asked
    assert ("Schedule.actor:HealthcareService", desk.service.service_id) in asked
    assert [value for name, value in asked if name == "start"] == [
        "ge2026-11-22T10:00:00+00:00",
        "le2026-11-22T11:00:00+00:00",
    ]
    assert "%2B00" in str(desk.network.requests[0].url), "a plus sign would arrive as a blank"
    assert found.offer(str(desk.slots[1].pk)) is not None
    assert found.offer("another") is None


def test_only_free_slots_are_offered_and_nothing_is_kept(desk: Desk) -> None:
    Slot.objects.filter(pk=desk.slots[0].pk).update(status=SlotStatus.BUSY)
    Slot.objects.filter(pk=desk.slots[1].pk).update(status=SlotStatus.BUSY_UNAVAILABLE)
    assert [each.id for each in search(desk).offers] == [str(desk.slots[2].pk)]
    Slot.objects.all().update(status=SlotStatus.BUSY)
    assert search(desk).problem is SlotProblem.NONE_IN_RANGE


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        (timeout, SlotProblem.NO_ANSWER),
        (unreachable, SlotProblem.NO_ANSWER),
        (refusing(503, "REC_SERVICE_UNAVAILABLE", "transient"), SlotProblem.NO_ANSWER),
        (refusing(408, "REC_TIMEOUT", "timeout"), SlotProblem.NO_ANSWER),
        (refusing(404, "PROXY_NOT_FOUND", "not-found"), SlotProblem.NOT_ON_NETWORK),
        (refusing(501, "REC_NOT_IMPLEMENTED", "not-supported"), SlotProblem.NO_BOOKINGS),
        (refusing(400, "REC_BAD_REQUEST", "invalid"), SlotProblem.REFUSED),
        (answering({"resourceType": "Bundle", "type": "searchset", "total": 0}), SlotProblem.NONE_IN_RANGE),
        (answering({"resourceType": "Patient"}), SlotProblem.NO_ANSWER),
    ],
)
def test_why_there_are_none(desk: Desk, fault: Any, problem: SlotProblem) -> None:
    desk.network.before.append(fault)
    found = search(desk)
    assert (found.offers, found.problem) == ([], problem)
    assert problem.sentence.endswith(".")
    event = AuditEvent.objects.get(action="bookings.search_slots")
    assert event.detail["problem"] == problem.value
    desk.service.refresh_from_db()
    assert (desk.service.last_success_at is not None) == (problem is SlotProblem.NONE_IN_RANGE)


@pytest.mark.parametrize("changes", [{"takes_bookings": False}, {"active": False}])
def test_nobody_is_asked_who_takes_no_bookings(desk: Desk, changes: dict[str, bool]) -> None:
    for name, value in changes.items():
        setattr(desk.service, name, value)
    assert search(desk).problem is SlotProblem.NO_BOOKINGS
    assert desk.network.requests == []


def test_few_statements_however_many_slots(desk: Desk) -> None:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        search(desk)
    reads = [each["sql"] for each in captured.captured_queries if "bookings_slot" in each["sql"]]
    assert len(reads) == 1
