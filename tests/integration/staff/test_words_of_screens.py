"""What the administration says by itself: yes and no, filters, the way back and the history, in our words."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from lxml import html

from bars_portal.accounts.permissions import Role
from bars_portal.audit.models import AuditEvent
from bars_portal.audit.staff_pages import StaffAdmin
from bookings.admin import HistoryInline
from bookings.models import BookingStatusChange
from bookings.states import BookingEvent, BookingStatus
from referrals.cases.models import CaseStatusChange, Referral, UnmatchedReply
from referrals.cases.states import CaseEvent, CaseStatus
from tests.factories.accounts import confirm
from tests.integration.staff.conftest import World
from tests.integration.staff.test_every_screen import PAGES, address_of, rows_by_page
from tests.worlds import Kept, Worlds

ANSWER = re.compile(r"icon-(yes|no|unknown)\b")


@pytest.fixture
def reader(world: World) -> Client:
    return reader_of(world)


def reader_of(world: World) -> Client:
    client = world.client(*Role, at_home=True)
    confirm(client)
    return client


@pytest.fixture(scope="module")
def kept_screens(worlds: Worlds, kept_world: Kept[World]) -> Kept[dict[str, bytes]]:
    """What the reader is shown by every list, and of a row of each: asked for once."""

    def make() -> dict[str, bytes]:
        world = kept_world.original()
        UnmatchedReply.objects.update(safeguarding=True)
        client = reader_of(world)
        of_rows = [part for page, row in rows_by_page(world) for part in addresses(page, row)]
        return {each: client.get(each).content for each in {*map(address_of, PAGES), *of_rows}}

    return worlds.keep("kept_screens", make)


@pytest.fixture
def screens(kept_screens: Kept[dict[str, bytes]], world: World) -> dict[str, bytes]:
    return kept_screens.copy()


def addresses(page: StaffAdmin, row: Model) -> tuple[str, str, str]:
    """Of the list, of its row, and of that row's history."""
    base = address_of(page)
    return base, f"{base}{row.pk}/change/", f"{base}{row.pk}/history/"


def shown(reader: Client, address: str) -> Any:
    return html.fromstring(reader.get(address).content)


def words(element: Any) -> str:
    return " ".join(element.text_content().split())


def test_yes_and_no_are_words(world: World, screens: dict[str, bytes]) -> None:
    """Django's tick for yes is green: a safeguarding concern looked like good news."""
    row = UnmatchedReply.objects.get()
    assert row.safeguarding
    for page, each in rows_by_page(world):
        for address in addresses(page, each)[:2]:
            screen: Any = html.fromstring(screens[address])
            drawn = [str(image) for image in screen.xpath("//img/@src")]
            assert not [image for image in drawn if ANSWER.search(image)], address
    base = "/admin/referrals/unmatchedreply/"
    listed: Any = html.fromstring(screens[base]).xpath("//td[@class='field-safeguarding']")
    assert [words(each) for each in listed] == ["Yes"]
    one: Any = html.fromstring(screens[f"{base}{row.pk}/change/"])
    assert (
        words(one.xpath("//div[contains(@class, 'field-safeguarding')]//div[@class='readonly']")[0]) == "Yes"
    )


def test_filters_are_in_words(screens: dict[str, bytes]) -> None:
    faults = []
    for page in PAGES:
        listed: Any = html.fromstring(screens[address_of(page)])
        for each in listed.xpath("//*[@id='changelist-filter']//details"):
            heading = words(each.xpath("summary")[0])
            choices = [words(choice) for choice in each.xpath(".//li")]
            if heading.startswith("By ") or {"Empty", "Not empty"} & set(choices):
                faults.append(f"{page}: {heading} {choices}")
    assert not faults, "\n".join(faults)


def test_columns_and_filters_are_called_as_on_the_page_of_one_row(
    world: World, screens: dict[str, bytes]
) -> None:
    """ "Created at" stood above what a form calls "Made"."""
    faults, compared = [], 0
    for page, _ in rows_by_page(world):
        screen: Any = html.fromstring(screens[address_of(page)])
        labels = dict(page.labels)
        named = {
            name: screen.xpath(f"//th[contains(concat(' ', @class, ' '), ' column-{name} ')]")
            for name in labels
        }
        for name, headings in named.items():
            compared += len(headings)
            faults += [
                f"{page}: {words(each)}" for each in headings if not words(each).endswith(labels[name])
            ]
        for each in page.list_filter:
            path: Any = each[0] if isinstance(each, tuple) else each
            if path in labels and labels[path] not in (
                words(title) for title in screen.xpath("//*[@id='changelist-filter']//summary")
            ):
                # A filter with one choice is none.
                faults += (
                    [f"{page}: filter {path}"] if screen.xpath(f"//a[contains(@href, '{path}')]") else []
                )
    assert compared > 30
    assert not faults, "\n".join(faults)


def test_the_way_back_is_called_as_the_list_is(world: World, screens: dict[str, bytes]) -> None:
    faults = []
    for page, row in rows_by_page(world):
        if page.opts.model_name == "catalogueimport":
            continue  # Pages of its own.
        for address in addresses(page, row):
            screen: Any = html.fromstring(screens[address])
            crumbs = words(screen.xpath("//div[@class='breadcrumbs']")[0])
            if page.list_title not in crumbs.split(" › "):
                faults.append(f"{page} {address[-8:]}: {crumbs}")
    assert not faults, "\n".join(faults)


def test_the_last_crumb_is_the_heading_of_the_row(world: World, screens: dict[str, bytes]) -> None:
    """An event of the trail was called by its code there, and above its history."""
    (of_event,) = (addresses(page, row) for page, row in rows_by_page(world) if page.model is AuditEvent)
    pages: list[Any] = [html.fromstring(screens[each]) for each in of_event[1:]]
    screen, history = pages
    heading = words(screen.xpath("//div[@id='content']/h2")[0])
    crumbs = [words(each.xpath("//div[@class='breadcrumbs']")[0]) for each in (screen, history)]
    assert crumbs[0].endswith(heading)
    assert crumbs[1].endswith(f"{heading} › History")
    assert words(history.xpath("//div[@id='content']/h1")[0]) == f"Change history: {heading}"


def test_a_history_of_nothing_says_where_the_rest_is(world: World, screens: dict[str, bytes]) -> None:
    for page, row in rows_by_page(world):
        told = words(html.fromstring(screens[addresses(page, row)[2]]))
        assert "Nobody has changed it in the administration" in told, page


def test_what_was_dealt_with_is_chosen_by_yes_and_no(world: World, reader: Client) -> None:
    page = shown(reader, "/admin/referrals/unmatchedreply/")
    (choices,) = page.xpath("//details[@data-filter-title='Dealt with']")
    links = {words(each): each.get("href") for each in choices.xpath(".//a")}
    assert list(links) == ["All", "No", "Yes"]
    found = {
        name: len(reader.get(f"/admin/referrals/unmatchedreply/{query}").context["cl"].result_list)
        for name, query in links.items()
    }
    assert found == {"All": 1, "No": 1, "Yes": 0}


@pytest.mark.parametrize("event", BookingEvent)
def test_a_step_of_a_booking_is_in_words(event: BookingEvent) -> None:
    step = BookingStatusChange(event=event, from_status="", to_status=BookingStatus.BOOKED)
    inline: Any = HistoryInline.__new__(HistoryInline)
    assert inline.what(step) != event
    assert inline.what(step)[0].isupper()
    assert (inline.before(step), inline.after(step)) == ("None", "Booked")


@pytest.mark.parametrize("event", CaseEvent)
def test_a_step_of_a_case_is_in_words(event: CaseEvent) -> None:
    step = CaseStatusChange(event=event, from_status=CaseStatus.RECEIVED, to_status=CaseStatus.IN_PROGRESS)
    kind: Any = admin.site.get_model_admin(Referral).inlines[0]
    inline = kind.__new__(kind)
    assert inline.what(step)[0].isupper()
    assert (inline.before(step), inline.after(step)) == ("Received", "In progress")
