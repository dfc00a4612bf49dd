"""Pages and files of reports: each number opens the list that it counts."""

import csv
import io
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from markupsafe import Markup

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import Role
from bars_portal.reports.counting import REPORTS
from bars_portal.reports.definitions import Report
from bars_portal.reports.exchange import CALLS, FAILURES, RECEIVED, SENT
from tests.factories.accounts import make_acting, make_organisation
from tests.integration.reports.conftest import world_of

pytestmark = pytest.mark.django_db


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


@pytest.mark.further
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
    "from=x&to=2026-10-25": "The first day must include",
    "from=2026-11-01&to=x": "The last day must include",
    "from=2026-11-01&to=2026-13-01": "The last day must be a real date",
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
