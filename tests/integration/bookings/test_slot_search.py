"""Asking for slots: what is sent, and a plain reason whenever there are none."""

from datetime import UTC, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bars_portal.audit.models import AuditEvent
from bookings.mapping.offers import Lack, NotShown
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


def page_of(slot: Slot, following: str = "") -> dict[str, Any]:
    """One page of an answer, with a link to the next one."""
    resource = {
        "resourceType": "Slot",
        "id": str(slot.pk),
        "status": "free",
        "start": slot.start.isoformat(),
        "end": slot.end.isoformat(),
    }
    links = [{"relation": "next", "url": following}] if following else []
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": 3,
        "link": links,
        "entry": [{"resource": resource}],
    }


def test_further_pages_are_asked_for_through_the_proxy(desk: Desk) -> None:
    one, two, three = desk.slots
    base = "https://their.example.nhs.uk/FHIR/R4/Slot?_page="
    for page in (page_of(one, f"{base}2&x=a%2Bb"), page_of(two, f"{base}3"), page_of(three)):
        desk.network.before.append(answering(page))
    found = search(desk)
    assert [each.id for each in found.offers] == [str(each.pk) for each in desk.slots]
    assert (found.problem, found.not_shown) == (None, ())
    first, second, third = desk.network.requests
    assert {each.url.host for each in desk.network.requests} == {"proxy.example.nhs.uk"}
    assert second.url.params.multi_items() == [("_page", "2"), ("x", "a+b")]
    assert third.url.params.multi_items() == [("_page", "3")]
    assert len({each.headers["X-Request-ID"] for each in desk.network.requests}) == 3
    assert first.headers["X-Correlation-ID"] == third.headers["X-Correlation-ID"]


@pytest.mark.parametrize(
    ("following", "rest", "asked"),
    [
        ("Slot?_page=2", timeout, 2),
        ("Slot?_page=2", refusing(400, "REC_BAD_REQUEST", "invalid"), 2),
        ("https://their.example.nhs.uk/FHIR/R4?_getpages=1", None, 1),
    ],
    ids=["no answer", "refused", "no search"],
)
def test_pages_that_do_not_come_are_told(desk: Desk, following: str, rest: Any, asked: int) -> None:
    desk.network.before += [answering(page_of(desk.slots[0], following)), *([rest] if rest else [])]
    found = search(desk)
    assert [each.id for each in found.offers] == [str(desk.slots[0].pk)]
    assert found.not_shown == (NotShown(Lack.NOT_SENT, 2),)
    assert len(desk.network.requests) == asked
    assert AuditEvent.objects.get(action="bookings.search_slots").detail["not_shown"] == "not-sent"


def test_pages_without_end_are_not_followed_forever(desk: Desk) -> None:
    desk.network.before += [answering(page_of(desk.slots[0], f"Slot?_page={each}")) for each in range(99)]
    assert search(desk).not_shown == (NotShown(Lack.NOT_SENT, 2),)
    assert len(desk.network.requests) < 10
    desk.network.requests.clear()
    desk.network.before[:] = [answering(page_of(desk.slots[0], "Slot?_page=1")) for _ in range(9)]
    search(desk)
    assert len(desk.network.requests) == 2, "the same page again says nothing new"
