"""Reports as a manager reads them: all of them, one, the list behind a number and its file, both widths."""

import pytest
from playwright.sync_api import expect

from bars_portal.reports.counting import REPORTS
from bars_portal.reports.definitions import Report
from tests.browser.conftest import People

pytestmark = [pytest.mark.browser, pytest.mark.further]


@pytest.mark.parametrize("javascript", [True, False], ids=["with-javascript", "without-javascript"])
def test_a_number_leads_to_its_rows_and_to_a_file_of_them(
    people: People, either_width: int, javascript: bool
) -> None:
    people().book()
    manager = people("manager", javascript=javascript)
    manager.go("/reports/")
    manager.look("Reports")
    manager.page.locator("main").get_by_role("link", name="Bookings", exact=True).click()
    manager.look("Bookings")
    # Who else books meanwhile makes it more.
    number = manager.page.get_by_role("table").last.get_by_role("link").first
    count = int((number.text_content() or "").split()[0].replace(",", ""))
    number.click()
    manager.look("Bookings: ")
    with manager.page.expect_download() as saved:
        manager.page.get_by_role("button", name="Save as a file (CSV)").click()
    lines = saved.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) - 1 >= count >= 1
    assert lines[0].startswith('"Booked"') or lines[0].startswith("Booked")


@pytest.mark.parametrize("report", REPORTS, ids=[each.name for each in REPORTS])
def test_each_report_can_be_read_by_everybody(people: People, either_width: int, report: Report) -> None:
    manager = people("manager")
    manager.go(f"/reports/{report.name}/")
    manager.look(report.title)
    # Of failures there may be none.
    shown = manager.page.locator("svg.app-chart").or_(
        manager.page.get_by_role("heading", name="Nothing to show")
    )
    expect(shown.first).to_be_visible()
