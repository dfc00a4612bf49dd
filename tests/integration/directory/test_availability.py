"""Services by their next free time: what bookings know of our own, and the others after them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from bookings.selectors.slots import next_free_slots
from directory.selectors.search import ServiceSearch
from tests.factories.bookings import make_schedule, make_slot
from tests.factories.directory import make_postcodes, make_service

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def service_free_at(name: str, *hours: int, **changes: Any) -> UUID:
    service = make_service(name=name, **changes)
    schedule = make_schedule(service=service)
    for hour in hours:
        make_slot(schedule=schedule, start=NOW + hour * HOUR)
    return service.pk


def test_the_first_free_slot_from_now_counts() -> None:
    later = service_free_at("Later", -1, 5, 3)
    taken = service_free_at("Taken", 1)
    make_service(name="None")
    elsewhere = service_free_at("Elsewhere", 1, hosted=False)
    from bookings.models import Slot

    Slot.objects.filter(service=taken).update(status="busy")

    assert next_free_slots(NOW) == {later: NOW + 3 * HOUR}
    assert elsewhere not in next_free_slots(NOW)


@pytest.mark.parametrize("postcode", ["", "LS1 4AP"])
def test_soonest_comes_first_and_unknown_times_last(postcode: str) -> None:
    make_postcodes({"LS14AP": (53.8, -1.5)})
    service_free_at("Second", 2, postcode="LS1 4AP")
    service_free_at("First", 1)
    make_service(name="Z, not known", postcode="LS1 4AP")
    make_service(name="Zz, not known")

    search = ServiceSearch(postcode=postcode, soonest=True, now=NOW)

    assert [each.service.name for each in search] == ["First", "Second", "Z, not known", "Zz, not known"]
    assert [each.next_free for each in search[0:3]] == [NOW + HOUR, NOW + 2 * HOUR, None]
    assert [each.service.name for each in search[1:3]] == ["Second", "Z, not known"]
    assert [each.service.name for each in search[2:10]] == ["Z, not known", "Zz, not known"]
