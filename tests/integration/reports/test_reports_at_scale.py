"""Reports over thousands of rows: what is alike is passed once."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.models import Model

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import Role
from bars_portal.reports.activity import SLOTS
from bars_portal.reports.counting import Counts, Period, count
from bars_portal.reports.definitions import Report
from bars_portal.reports.exchange import SENT
from bookings.models import SlotStatus
from tests.factories.accounts import make_acting
from tests.factories.bookings import make_schedule, make_slot
from tests.factories.messages import outbound
from tests.factories.referrals import make_hub
from tests.plans import multiply, plans

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
ROWS = 4_000


@pytest.fixture
def manager() -> Acting:
    return make_acting(role=Role.MANAGER)


def sorted_out(plan: Any) -> Iterator[float]:
    """How many rows each step passes that sorts rows out into tables."""
    if len(plan.get("Grouping Sets", ())) > 1:
        yield from (each["Actual Rows"] for each in plan["Plans"])
    for each in plan.get("Plans", ()):
        yield from sorted_out(each)


def make_sent(acting: Acting) -> Model:
    message = outbound(acting.organisation, created_at=NOW)
    multiply(message, ROWS, id="gen_random_uuid()", request_id="gen_random_uuid()")
    return message


def make_slots(acting: Acting) -> Model:
    diary = make_schedule(service=make_hub(provider=acting.organisation))
    slot = make_slot(schedule=diary, start=NOW, status=SlotStatus.BUSY)
    later = {name: f"kept.\"{name}\" + n * interval '1 second'" for name in ("start", "end")}
    multiply(slot, ROWS, id="gen_random_uuid()", **later)
    return slot


@pytest.mark.parametrize(("report", "make"), [(SENT, make_sent), (SLOTS, make_slots)])
def test_rows_alike_are_counted_before_they_are_sorted_out(
    manager: Acting, report: Report, make: Any
) -> None:
    """A report without middle values passes each row once, and not once for each of its tables."""
    make(manager)
    day = Period(NOW.date(), NOW.date())

    def ask() -> Counts:
        return count(report, manager.organisation, day, {}, now=NOW)

    assert ask().total.count == ROWS + 1
    assert [passed for _, plan in plans(ask) for passed in sorted_out(plan)] == [1]


def test_a_share_is_of_the_rows_and_not_of_those_alike(manager: Acting) -> None:
    """Three that are alike count three times; what is neither one nor the other does not count."""
    diary = make_schedule(service=make_hub(provider=manager.organisation))
    for hour, status in enumerate([SlotStatus.BUSY] * 3 + [SlotStatus.FREE, SlotStatus.BUSY_UNAVAILABLE]):
        make_slot(schedule=diary, start=NOW.replace(hour=9 + hour), status=status)
    day = Period(NOW.date(), NOW.date())
    counts = count(SLOTS, manager.organisation, day, {}, now=NOW)
    assert (counts.total.count, counts.total.measured) == (5, (0.75,))
    shares = {key: line.measured for key, line in counts.by["state"].items()}
    assert shares == {"busy": (1.0,), "free": (0.0,), "busy-unavailable": (None,)}
