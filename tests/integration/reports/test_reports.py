"""Reports: known rows give known answers, and numbers add up."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bars_portal.accounts.acting import Acting
from bars_portal.correspondence.states import Direction
from bars_portal.reports.activity import APPOINTMENTS, BOOKINGS, REFERRALS, SLOTS, VALIDATIONS
from bars_portal.reports.counting import Counts, Period, count
from bars_portal.reports.definitions import Dimension, Report, fixed
from bars_portal.reports.exchange import CALLS, FAILURES, RECEIVED, SENT
from bookings.states import BookingStatus
from tests.factories.bookings import make_booking
from tests.factories.referrals import make_hub
from tests.integration.reports.conftest import NOW, WEEK, at
from tests.unit.docs.markdown import ROOT, blocks

pytestmark = pytest.mark.django_db


def counts_of(report: Report, acting: Acting, period: Period = WEEK, **chosen: str) -> Counts:
    return count(report, acting.organisation, period, chosen, now=NOW)


@pytest.mark.parametrize(
    ("report", "name", "expected"),
    [
        (BOOKINGS, "direction", {"sent": 2, "received": 4}),
        (APPOINTMENTS, "attendance", {"attended": 2, "did-not-attend": 1, "booked": 1}),
        (APPOINTMENTS, "lead", {"four-hours": 4}),
        (APPOINTMENTS, "partner", {"RX111": 2, "none": 2}),
        (SLOTS, "state", {"busy": 4, "free": 3, "busy-unavailable": 1}),
        *(
            (
                each,
                "answer",
                {"in-time": 2, "late": 1, "answered": 1, "overdue": 1, "waiting": 1, "ended": 1},
            )
            for each in (REFERRALS, VALIDATIONS)
        ),
        (SENT, "stands", {"settled": 5, "under-way": 1, "unsettled": 2}),
        (FAILURES, "code", {"REC_CONFLICT/conflict": 2, "timeout": 2, "=cmd()": 1}),
        (CALLS, "took", {"half": 1, "second": 1, "five": 1, "none": 1}),
        (RECEIVED, "status", {"200": 1, "400": 1, "422": 1}),
        (RECEIVED, "took", {"half": 2, "slow": 1}),
    ],
)
@pytest.mark.usefixtures("week")
def test_known_rows_give_known_answers(
    manager: Acting, report: Report, name: str, expected: dict[str, int]
) -> None:
    found = counts_of(report, manager)
    assert {key: line.count for key, line in found.by[name].items()} == expected
    assert found.total.count == sum(expected.values())


@pytest.mark.usefixtures("week")
def test_known_rows_give_known_measures(manager: Acting) -> None:
    assert list(counts_of(APPOINTMENTS, manager).total.measured) == pytest.approx([1 / 3, 7200])
    assert list(counts_of(SLOTS, manager).total.measured) == pytest.approx([4 / 7])
    # 1, 2, 3 and 4 hours; two in time, one late, one overdue.
    assert counts_of(REFERRALS, manager).total.measured == (0.5, 2.5 * 3600)
    half, nine_in_ten = counts_of(CALLS, manager).total.measured
    assert half == 0.9
    assert nine_in_ten == pytest.approx(2.58)


@pytest.mark.usefixtures("week")
def test_a_day_is_a_day_in_london(manager: Acting) -> None:
    by_day = counts_of(BOOKINGS, manager, direction="sent").by_time
    assert {day.day: line.count for day, line in by_day.items()} == {19: 1, 25: 1}
    before = count(BOOKINGS, manager.organisation, WEEK.before, {"direction": "sent"}, now=NOW)
    assert (WEEK.before, before.total.count) == (Period(date(2026, 10, 12), date(2026, 10, 18)), 2)


statuses = st.sampled_from([BookingStatus.BOOKED, BookingStatus.CANCELLED, BookingStatus.ATTENDED])
made = st.tuples(statuses, st.integers(0, 700), st.sampled_from(["", "RX111", "A82001"]))


@given(rows=st.lists(made, max_size=12), first=st.integers(0, 20), days=st.integers(1, 366))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
def test_all_cuts_of_a_report_add_up(
    manager: Acting, rows: list[tuple[BookingStatus, int, str]], first: int, days: int
) -> None:
    hub = make_hub(provider=manager.organisation)
    for number, (status, hours, sender) in enumerate(rows):
        make_booking(
            service=hub,
            direction=Direction.RECEIVED,
            status=status,
            created_at=at(1) + timedelta(hours=hours),
            start=at(1) + timedelta(hours=2 * hours),
            sender_ods_code=sender,
            reference=f"{hub.pk}-{number}",
        )
    start = date(2026, 10, 1) + timedelta(days=first)
    period = Period(start, start + timedelta(days=days - 1))
    assert sum(each.days for each in period.parts()) == period.days
    firsts = {each.first for each in period.parts()}
    for report in (BOOKINGS, APPOINTMENTS):
        found = counts_of(report, manager, period)
        assert {period.part_from(each).first for each in found.by_time} <= firsts
        for cut in (list(found.by_time.values()), *(list(each.values()) for each in found.by.values())):
            assert sum(line.count for line in cut) == found.total.count


@pytest.mark.usefixtures("week")
def test_the_report_of_the_how_to_counts(manager: Acting) -> None:
    page = (ROOT / "docs" / "how-to" / "add-a-report.md").read_text()
    assert len([line for line in page.splitlines() if line]) <= 10
    (example,) = blocks(page, "python")
    names = {"replace": replace, "BOOKINGS": BOOKINGS, "Dimension": Dimension, "fixed": fixed}
    exec(example.strip(), names)
    report: Any = names["USE_CASES"]
    counts = count(report, manager.organisation, WEEK, {}, now=NOW)
    assert counts.total.count == sum(each.count for each in counts.by["use"].values()) > 0
    assert counts.total == count(BOOKINGS, manager.organisation, WEEK, {}, now=NOW).total
