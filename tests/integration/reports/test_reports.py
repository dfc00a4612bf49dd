"""Reports: known rows give known answers, numbers add up, and each opens the list that it counts."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import Organisation
from bars_portal.accounts.permissions import Role
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.models import DeadLetterDecision, DeliveryAttempt, DeliveryState, InboundMessage
from bars_portal.reports.activity import APPOINTMENTS, BOOKINGS, REFERRALS, SLOTS, VALIDATIONS
from bars_portal.reports.counting import REPORTS, Counts, Period, count
from bars_portal.reports.definitions import Dimension, Report, fixed
from bars_portal.reports.exchange import CALLS, FAILURES, RECEIVED, SENT
from bookings.models import SlotStatus
from bookings.states import BookingStatus
from referrals.cases.models import Case, CaseStatusChange, owned_by
from referrals.cases.states import ANSWERING, CaseEvent, CaseStatus, Category
from tests.factories.accounts import make_acting, make_organisation
from tests.factories.bookings import make_booking, make_schedule, make_slot
from tests.factories.messages import outbound
from tests.factories.referrals import make_case, make_hub
from tests.unit.docs.markdown import ROOT, blocks
from tests.worlds import Kept, Worlds

pytestmark = pytest.mark.django_db
# A week with the end of summer time in it: Sunday 25 October 2026 has 25 hours.
WEEK = Period(date(2026, 10, 19), date(2026, 10, 25))
NOW = datetime(2026, 10, 26, 9, 0, tzinfo=UTC)


def at(day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=UTC)


@pytest.fixture(scope="module")
def kept_manager(worlds: Worlds) -> Kept[Acting]:
    return worlds.keep(
        "kept_manager", lambda: make_acting(role=Role.MANAGER, organisation=make_organisation())
    )


@pytest.fixture
def manager(kept_manager: Kept[Acting], db: None) -> Acting:
    return kept_manager.copy()


@pytest.fixture(scope="module")
def kept_week(worlds: Worlds, kept_manager: Kept[Acting]) -> Kept[None]:
    """Rows of the manager's organisation and of another."""

    def make() -> None:
        world_of(kept_manager.original().organisation)
        world_of(make_organisation())

    return worlds.keep("kept_week", make)


@pytest.fixture
def week(kept_week: Kept[None], manager: Acting) -> None:
    kept_week.copy()


def decided(case: Case, event: CaseEvent, moment: datetime) -> None:
    CaseStatusChange.objects.create(
        **owned_by(case), event=event, to_status=case.status, at=moment, actor_label="Somebody", version=1
    )
    if event in ANSWERING and (case.answered_at is None or moment < case.answered_at):
        case.answered_at = moment
        case.save(update_fields=["answered_at"])


def world_of(organisation: Organisation) -> None:
    """Rows of every report on both sides of the week's edges."""
    hub = make_hub(provider=organisation)
    diary = make_schedule(service=hub)
    for day, status in ((20, "attended"), (20, "attended"), (21, "did-not-attend"), (25, "booked")):
        slot = make_slot(schedule=diary, start=at(day, 9 + len(diary.slots.all())), status=SlotStatus.BUSY)
        make_booking(
            service=hub,
            direction=Direction.RECEIVED,
            slot=slot,
            start=slot.start,
            status=BookingStatus(status),
            created_at=slot.start - timedelta(hours=2),
            sender_ods_code="RX111" if day == 20 else "",
            reference=f"B-{slot.pk}",
        )
    for hour in (20, 21, 22):
        make_slot(schedule=diary, start=at(22, hour), status=SlotStatus.FREE)
    make_slot(schedule=diary, start=at(23), status=SlotStatus.BUSY_UNAVAILABLE)
    make_slot(schedule=diary, start=at(24), status=SlotStatus.WITHDRAWN)
    # 25 October 23:30 in London is 23:30 UTC; 18 October 23:30 UTC is the 19th there.
    for moment in (at(25, 23, 30), at(18, 23, 30), at(26, 0, 10), at(18, 22, 30), at(13)):
        make_booking(organisation=organisation, service=make_hub(), created_at=moment)
    for category in Category:
        cases_of(category, organisation)
    messages_of(organisation)


def cases_of(category: Category, organisation: Organisation) -> None:
    hub = make_hub(provider=organisation)

    def case(status: CaseStatus, breach: datetime | None, answered: datetime | None = None) -> None:
        made = make_case(
            category,
            service=hub,
            status=status,
            breach_at=breach,
            created_at=at(20, 10),
            reference=str(uuid4()),
            use_case="a4t1" if category is Category.VALIDATION else "a1t1",
        )
        decided(made, CaseEvent.RECEIVE, at(20, 10))
        if answered:
            decided(made, CaseEvent.START, answered)
            decided(made, CaseEvent.COMPLETE, answered + timedelta(days=1))

    case(CaseStatus.COMPLETED, at(20, 12), at(20, 11))
    case(CaseStatus.COMPLETED, at(20, 12), at(20, 12))
    case(CaseStatus.COMPLETED, at(20, 12), at(20, 13))
    case(CaseStatus.COMPLETED, None, at(20, 14))
    case(CaseStatus.RECEIVED, at(25))
    case(CaseStatus.RECEIVED, NOW + timedelta(days=1))
    case(CaseStatus.REVOKED, at(20, 12))


def messages_of(organisation: Organisation) -> None:
    hub = make_hub(provider=organisation)
    for state, reason in (
        (DeliveryState.ACCEPTED, ""),
        (DeliveryState.QUEUED, ""),
        (DeliveryState.REFUSED, "REC_CONFLICT/conflict"),
        (DeliveryState.REFUSED, "REC_CONFLICT/conflict"),
        (DeliveryState.UNKNOWN, "timeout"),
        (DeliveryState.ABANDONED, "timeout"),
        (DeliveryState.ABANDONED, "=cmd()"),
        (DeliveryState.ABANDONED, "obsolete"),
    ):
        sent = outbound(organisation, created_at=at(21), settled_at=at(21), state=state, reason=reason)
        if state == DeliveryState.ACCEPTED:
            for number, took in enumerate((100, 900, 3000, None), start=1):
                DeliveryAttempt.objects.create(
                    message=sent, number=number, started_at=at(21), elapsed_ms=took, outcome="accepted"
                )
        if reason == "=cmd()":
            DeadLetterDecision.objects.create(
                message=sent,
                settled_at=at(21),
                decision="settled",
                note="Rang them",
                decided_at=NOW,
                actor_user=make_acting().user,
                actor_label="Somebody",
            )
    for answer, status, seconds in (("accepted", 200, 0.2), ("refused", 400, 0.4), ("refused", 422, 7.0)):
        InboundMessage.objects.create(
            headers={},
            body=b"{}",
            service_id=hub.service_id,
            sender_ods_code="RX111",
            received_at=at(22),
            completed_at=at(22) + timedelta(seconds=seconds),
            state=answer,
            status_code=status,
        )


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


# -- pages


def numbers_on(page: str) -> Iterator[tuple[int, str]]:
    """How many, and the list that it opens."""
    for href, words in re.findall(r'<a href="(/reports/[a-z-]+/list/\?[^"]*)">([0-9,]+)<', page):
        yield int(words.replace(",", "")), unescape(href)


def rows_behind(client: Client, start: str) -> int:
    url, path, found = start, start.partition("?")[0], 0
    while url:
        page = client.get(url).content.decode()
        found += sum(body.count("<tr") for body in re.findall(r"<tbody.*?</tbody>", page, re.DOTALL))
        following = re.search(r'<a [^>]*href="([^"]*)"[^>]*rel="next"', page)
        url = f"{path}{unescape(following[1]).removeprefix(path)}" if following else ""
    return found


@pytest.fixture
def no_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """They link nowhere, as their own test sees to, and drawing one takes longer than its whole page."""
    monkeypatch.setattr("bars_portal.reports.charts._drawn", lambda *drawn: Markup())


@pytest.fixture
def pages(week: None, manager: Acting, client: Client) -> Client:
    client.force_login(manager.user)
    return client


WEEK_QUERY = "from=2026-10-19&to=2026-10-25"


@pytest.mark.usefixtures("no_charts")
def test_every_number_opens_the_list_that_it_counts(pages: Client) -> None:
    seen: dict[str, int] = {}
    for address in ("/reports/", *(f"/reports/{each.name}/" for each in REPORTS)):
        page = pages.get(f"{address}?{WEEK_QUERY}")
        assert page.status_code == 200, address
        found = list(numbers_on(page.content.decode()))
        assert found or address == "/reports/", address
        for number, href in found:
            if href not in seen:
                seen[href] = rows_behind(pages, href)
            assert seen[href] == number, (address, href)
    assert len(seen) > 60


def test_a_long_list_has_pages(pages: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"/reports/referrals/list/?{WEEK_QUERY}"
    whole = rows_behind(pages, address)
    monkeypatch.setattr("bars_portal.reports.views._PAGE", 3)
    assert rows_behind(pages, address) == whole > 6


@pytest.mark.parametrize("report", REPORTS, ids=[each.name for each in REPORTS])
def test_files_say_what_the_page_says(pages: Client, report: Report) -> None:
    listed = rows_behind(pages, f"/reports/{report.name}/list/?{WEEK_QUERY}")
    for dimension in ("time", *(each.name for each in report.dimensions)):
        answer = pages.get(f"/reports/{report.name}/file/{dimension}/?{WEEK_QUERY}")
        head, *lines = csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig")))
        assert {len(head)} == {len(line) for line in lines}
        assert sum(int(line[1]) for line in lines) == listed
    answer = pages.get(f"/reports/{report.name}/list/file/?{WEEK_QUERY}")
    lines = list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert len(lines) - 1 == listed
    assert b"Quill" not in answer.getvalue()
    assert not [cell for line in lines for cell in line if cell.startswith("=")]


@pytest.mark.parametrize("report", REPORTS, ids=[each.name for each in REPORTS])
def test_a_chart_has_words_and_nothing_that_the_policy_bars(pages: Client, report: Report) -> None:
    page = pages.get(f"/reports/{report.name}/?{WEEK_QUERY}").content.decode()
    drawn = re.findall(r"<svg[^>]*app-chart.*?</svg>", page, re.DOTALL)
    assert len(drawn) == 1 + len(report.dimensions)
    for each in drawn:
        assert each.count("<title") == each.count("<desc") == 1
        assert "at most" in each
        assert "href" not in each
        assert not re.search(r"<style|<script| style=|on[a-z]+=\"", each)
    assert "Quill" not in page


@pytest.mark.parametrize(
    "query",
    ["from=2026-10-19", "from=x&to=y", "from=2026-10-25&to=2026-10-19", "from=2024-01-01&to=2026-10-19"],
)
def test_an_address_that_no_page_writes_is_not_there(pages: Client, query: str) -> None:
    for address in ("/reports/", "/reports/bookings/list/file/"):
        assert pages.get(f"{address}?{query}").status_code == 404


DAYS = {
    "from=2026-10-19": "Enter the last day",
    "from=x&to=2026-10-25": "From must include",
    "from=2026-11-01&to=x": "To must include",
    "from=2026-11-01&to=2026-13-01": "To must be a real date",
    "from=2026-10-25&to=2026-10-19": "The last day must not be before the first",
    "from=2024-01-01&to=2026-10-19": "Choose 366 days at most",
}


@pytest.mark.parametrize(("query", "words"), DAYS.items())
def test_what_is_wrong_with_the_days_of_an_address_is_said(pages: Client, query: str, words: str) -> None:
    page = pages.get(f"/reports/bookings/?{query}&direction=sent")
    assert page.status_code == 200
    assert words in unescape(page.content.decode())
    listed = pages.get(f"/reports/bookings/list/?{query}")
    assert listed.headers["Location"] == f"/reports/bookings/?{query}"


def test_days_are_typed_and_kept_with_what_was_chosen(pages: Client) -> None:
    typed: dict[str, Any] = {"first-day": 19, "first-month": "10", "first-year": "2026"}
    typed |= {"last-day": 25, "last-month": "Oct", "last-year": 2026, "direction": "sent"}
    answer = pages.get("/reports/bookings/", typed)
    assert answer.headers["Location"] == f"/reports/bookings/?{WEEK_QUERY}&direction=sent"
    answer = pages.get("/reports/bookings/", {**typed, "last-year": "2025"})
    assert "The last day must not be before the first" in answer.content.decode()


@pytest.mark.usefixtures("no_charts")
@pytest.mark.parametrize("role", list(Role))
def test_who_sees_which_report(client: Client, role: Role) -> None:
    client.force_login(make_acting(role=role).user)
    exchange = {each.name for each in (SENT, FAILURES, CALLS, RECEIVED)}
    seen = {each.name for each in REPORTS if client.get(f"/reports/{each.name}/").status_code == 200}
    everything = {each.name for each in REPORTS}
    expected = {Role.MANAGER: everything, Role.AUDITOR: everything, Role.ENGINEER: exchange}.get(role, set())
    assert seen == expected
    assert client.get(reverse("reports:index")).status_code == (200 if expected else 403)


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


@pytest.mark.django_db(transaction=True)
def test_a_long_file_is_read_as_it_is_asked_for(client: Client) -> None:
    """Held beyond its transaction, a cursor would have to read all before the first line, in 15 s."""
    acting = make_acting(role=Role.MANAGER, organisation=make_organisation())
    world_of(acting.organisation)
    client.force_login(acting.user)
    answer: Any = client.get(f"/reports/bookings/list/file/?{WEEK_QUERY}")
    lines = iter(answer.streaming_content)
    next(lines), next(lines)
    with connection.cursor() as cursor:
        cursor.execute("SELECT is_holdable FROM pg_cursors WHERE name LIKE '_django_curs_%'")
        assert cursor.fetchall() == [(False,)]
    answer.close()
