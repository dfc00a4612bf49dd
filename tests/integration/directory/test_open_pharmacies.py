"""Who looks for a pharmacy is shown those that can see the patient within a day, and told when none can."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from bars_portal.nhsuk.dates import LONDON
from directory.hours import is_open_in_time
from directory.models import ServiceType
from directory.selectors.search import ServiceSearch
from tests.factories.accounts import make_acting
from tests.factories.directory import make_service
from tests.integration.booking_pages.conftest import client_of

_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NINE_TO_SIX = {day: [["09:00", "18:00"]] for day in _WEEK[:5]}


@pytest.mark.parametrize(
    ("when", "open_in_time"),
    [
        # Monday.
        ("2026-11-30T12:00", True),
        ("2026-11-30T17:29", True),
        ("2026-11-30T17:31", True),
        # Friday: closes in half an hour or less, and Monday is further away than a day.
        ("2026-12-04T17:29", True),
        ("2026-12-04T17:30", False),
        ("2026-12-04T20:00", False),
        ("2026-12-06T08:59", False),
        ("2026-12-06T09:00", True),
    ],
)
def test_open_in_time(when: str, open_in_time: bool) -> None:
    now = datetime.fromisoformat(when).replace(tzinfo=LONDON)
    assert is_open_in_time(_NINE_TO_SIX, now=now) is open_in_time


def test_hours_that_are_not_known_count_as_open() -> None:
    assert is_open_in_time({}, now=timezone.now())
    assert is_open_in_time({"mon": "nonsense"}, now=timezone.now())
    assert not is_open_in_time({"mon": []}, now=timezone.now())


def hours_of(*, open_again_in: timedelta, now: datetime) -> dict[str, Any]:
    opens = (now + open_again_in).astimezone(LONDON)
    start = min(opens.hour * 60 + opens.minute + 1, 23 * 60 + 58)
    clock = [f"{start // 60:02d}:{start % 60:02d}", "24:00"]
    return {_WEEK[opens.weekday()]: [clock]}


@pytest.mark.django_db
def test_a_search_for_a_pharmacy_leaves_out_who_is_closed() -> None:
    now = datetime(2026, 12, 2, 12, 0, tzinfo=LONDON)
    soon = make_service(
        service_type=ServiceType.PHARMACY, opening_hours=hours_of(open_again_in=timedelta(hours=20), now=now)
    )
    closed = make_service(
        service_type=ServiceType.PHARMACY, opening_hours=hours_of(open_again_in=timedelta(hours=30), now=now)
    )
    other = make_service(opening_hours={"mon": []})

    def found(**wanted: str) -> tuple[set[str], int]:
        search = ServiceSearch(**wanted, now=now)  # type: ignore[arg-type]  # texts only
        return {each.service.service_id for each in search}, search.left_out

    assert found(service_type="pharmacy") == ({soon.service_id}, 1)
    assert found(service_id=closed.service_id) == ({closed.service_id}, 0)
    assert found() == ({soon.service_id, closed.service_id, other.service_id}, 0)


@pytest.mark.django_db
def test_the_page_says_when_none_is_left() -> None:
    make_service(service_type=ServiceType.PHARMACY, opening_hours={"mon": []})
    client = client_of(make_acting())
    address = reverse("directory:search", query={"type": "pharmacy"})
    page = client.get(address).content.decode()
    assert "No pharmacy that fits is open in the next 24 hours" in page
    make_service(service_type=ServiceType.PHARMACY)
    page = client.get(address).content.decode()
    assert "1 pharmacy is not shown" in page
