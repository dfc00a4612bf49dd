"""Django admin: a manager's diaries and slots, an engineer's message log, an auditor's trail."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import People
from tests.browser.person import FAMILY, NHS_NUMBER, PHONE_NUMBER, UTC_SERVICE, Person
from tests.browser.wire import Wire

pytestmark = pytest.mark.browser


# Pixels by which the table of a list is wider than the place that it has.
_OVER = "() => { const at = document.querySelector('#changelist .results');"
_OVER += " return at ? at.scrollWidth - at.clientWidth : 0 }"


@pytest.mark.further
@pytest.mark.parametrize(
    "username", ["manager", "engineer", pytest.param("auditor", marks=pytest.mark.thorough)]
)
def test_every_list_of_a_role_fits(people: People, username: str) -> None:
    """From the index, at 1280 pixels: all columns are in sight, and every page passes axe."""
    person = people(username)
    person.go("/admin/")
    person.look("Staff area")
    links = person.page.locator(".app-tasks a:not(.app-tasks__add)")
    addresses = [str(each.get_attribute("href")) for each in links.all()]
    lists = [each for each in addresses if each.startswith("/admin/")]
    assert lists
    for each in lists:
        person.go(each)
        person.look()
        assert person.page.evaluate(_OVER) == 0, each


@pytest.mark.further
def test_a_manager_sees_what_will_happen_before_slots_are_blocked(people: People) -> None:
    manager = people("manager")
    manager.go("/admin/bookings/slot/?q=" + UTC_SERVICE)
    manager.page.locator("input.action-select").first.check()
    manager.page.locator("select[name=action]").select_option(label="Block the chosen slots")
    manager.press("Go")
    manager.look("Block the chosen slots")
    expect(manager.page.locator("#content-main")).to_contain_text("Nothing is changed yet")
    manager.follow("No, go back")
    expect(manager.page.locator("h1")).to_contain_text("Slots")


@pytest.mark.further
def test_an_auditor_finds_bookings_by_their_patient(people: People) -> None:
    """The name is sent, and stands in no address and no title: `look` reads them all."""
    people().book(UTC_SERVICE)
    auditor = people("auditor")
    act_for(auditor, "Riverside Health")
    auditor.go("/admin/bookings/booking/")
    auditor.page.get_by_label("Search").fill(NHS_NUMBER)
    auditor.press("Search")
    auditor.look("Bookings")
    expect(auditor.page.locator("#result_list tbody tr").first).to_contain_text("Riverside")
    # The session is that of the next test too.
    act_for(auditor, "Northern 111")


def first_id(wire: Wire, table: str, where: str = "true", order: str = "id") -> object:
    return wire.rows(f"SELECT id FROM {table} WHERE {where} ORDER BY {order} LIMIT 1")[0][0]


@pytest.mark.further
def test_a_manager_sees_bookings_diaries_and_slots(people: People, wire: Wire) -> None:
    clinician = people()
    slot_id = clinician.book(UTC_SERVICE)
    manager = people("manager")
    service = first_id(wire, "directory_healthcareservice", f"service_id = '{UTC_SERVICE}'")
    schedule = first_id(wire, "bookings_schedule", f"service_id = '{service}'")
    received = first_id(wire, "bookings_booking", f"slot_id = '{slot_id}' AND direction = 'received'")
    for path in (
        "/admin/",
        "/admin/bookings/booking/",
        f"/admin/bookings/booking/{received}/change/",
        "/admin/bookings/schedule/",
        "/admin/bookings/schedule/add/",
        f"/admin/bookings/schedule/{schedule}/change/",
        "/admin/bookings/slot/",
        "/admin/directory/healthcareservice/",
        f"/admin/directory/healthcareservice/{service}/change/",
    ):
        manager.go(path)
        manager.look()
    reference = wire.rows("SELECT reference FROM bookings_booking WHERE id = %s", received)[0][0]
    manager.go("/admin/bookings/booking/")
    expect(manager.page.locator("#result_list")).to_contain_text(reference)


def read_messages(engineer: Person, model: str) -> None:
    """The log of the organisation that the engineer acts for, and the newest message in it."""
    engineer.go(f"/admin/exchange/{model}/")
    rows = engineer.page.locator("#result_list tbody tr")
    expect(rows.first).to_contain_text(re.compile("booking", re.IGNORECASE))
    engineer.look()
    with engineer.page.expect_navigation():
        rows.first.get_by_role("link").first.click()
    engineer.look()
    shown = engineer.page.content()
    for secret in (FAMILY, NHS_NUMBER, PHONE_NUMBER, "7700900777"):
        assert secret not in shown


@pytest.mark.further
@pytest.mark.alone
def test_an_engineer_sees_messages_with_values_masked(people: People) -> None:
    people().book(UTC_SERVICE)
    engineer = people("")
    engineer.sign_in("engineer")
    read_messages(engineer, "outboundmessage")
    engineer.go("/accounts/choose-organisation/")
    engineer.look("Choose an organisation")
    engineer.page.get_by_role("radio", name="Riverside Health").check()
    engineer.press("Continue")
    read_messages(engineer, "inboundmessage")
    engineer.go("/admin/bookings/booking/")
    expect(engineer.page.locator("text=access to this page")).to_have_count(1)


@pytest.mark.further
def test_an_auditor_sees_who_did_what(people: People, wire: Wire) -> None:
    people().book(UTC_SERVICE)
    auditor = people("auditor")
    auditor.go("/admin/audit/auditevent/")
    auditor.look()
    # Tests beside this one write to the same trail, so the newest page alone need not show her.
    auditor.page.locator("#searchbar").fill("Chris Linnell")
    auditor.press("Search")
    found = auditor.page.locator("#result_list tbody tr")
    expect(found.filter(has_not_text="Chris Linnell")).to_have_count(0)
    expect(found).not_to_have_count(0)
    hers = first_id(wire, "audit_auditevent", "actor_label = 'Chris Linnell'", order="id DESC")
    auditor.go(f"/admin/audit/auditevent/{hers}/change/")
    auditor.look()
    assert FAMILY not in auditor.page.content()
    events = {row[0] for row in wire.rows("SELECT DISTINCT action FROM audit_auditevent")}
    assert {"accounts.sign_in", "bookings.search_slots", "bookings.view_booking"} <= events


@pytest.mark.further
def test_an_engineer_sees_what_a_catalogue_would_change(people: People, tmp_path: Path) -> None:
    catalogue = tmp_path / "list.csv"
    header, row = "service_id,name,provider_ods", "2100000001,Meadow Pharmacy,Y00111"
    catalogue.write_text(f"{header}\n{row}\n{row}\n")
    engineer = people("engineer")
    engineer.go("/admin/directory/catalogueimport/add/")
    engineer.look()
    engineer.page.get_by_label("File").set_input_files(catalogue)
    engineer.press("Show what would change")
    expect(engineer.page.get_by_role("alert")).to_contain_text("refused")
    expect(engineer.page.get_by_role("row", name="Line 3")).to_contain_text("on line 2 already")
    engineer.look()
    catalogue.write_text(f"{header}\n{row}\n")
    engineer.page.get_by_label("File").set_input_files(catalogue)
    engineer.press("Show what would change")
    expect(engineer.page.locator("#content")).to_contain_text("1 new, 0 changed, 0 made inactive")
    engineer.look()


@pytest.mark.further
def test_an_auditor_finds_who_looked(people: People, wire: Wire) -> None:
    clinician = people()
    slot_id = clinician.book(UTC_SERVICE)
    manager = people("manager")
    received = first_id(wire, "bookings_booking", f"slot_id = '{slot_id}' AND direction = 'received'")
    manager.go(f"/admin/bookings/booking/{received}/change/")
    auditor = people("auditor")
    act_for(auditor, "Riverside Health")
    auditor.go("/trail/")
    auditor.look()
    auditor.press("Search")
    auditor.look()
    auditor.page.get_by_label("Booking or case").fill(str(received))
    auditor.press("Search")
    auditor.look()
    expect(auditor.page.get_by_role("region", name="Who looked")).to_contain_text("Morgan Reyes")
    with auditor.page.expect_download() as saved:
        auditor.follow("Save as a file")
    assert "Morgan Reyes" in saved.value.path().read_text(encoding="utf-8-sig")
    # The session is that of the next test too.
    act_for(auditor, "Northern 111")


def act_for(person: Person, organisation: str) -> None:
    person.go("/accounts/choose-organisation/")
    person.page.get_by_label(organisation).check()
    person.press("Continue")
    expect(person.page.locator("main")).to_contain_text(f"You are now acting for {organisation}.")


def test_an_engineer_reads_what_is_wrong_and_comes_there_from_home(people: People) -> None:
    engineer = people("engineer")
    engineer.go("/")
    with engineer.page.expect_navigation():
        engineer.page.get_by_role("link", name="Status", exact=True).click()
    engineer.look()
    expect(engineer.page.get_by_text("A worker last looked at what waits")).to_be_visible()
    engineer.page.set_viewport_size({"width": 375, "height": 800})
    engineer.look()
