"""On a phone, what can be done with each row of a list is in sight, and so are the columns."""

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import DESKTOP, PHONE
from tests.browser.conftest import People
from tests.browser.person import HUB, Person

pytestmark = pytest.mark.browser
# Links and buttons of the page that begin or end outside of its window.
_OUT_OF_SIGHT = """() => [...document.querySelectorAll("main a, main button")].filter(each => {
    const box = each.getBoundingClientRect();
    return box.width && (box.left < 0 || box.right > document.documentElement.clientWidth);
}).map(each => each.innerText)"""


def out_of_sight(person: Person) -> list[str]:
    found: list[str] = person.page.evaluate(_OUT_OF_SIGHT)
    return found


def make_a_feed_and_an_alarm(manager: Person) -> None:
    page = manager.page
    manager.go("/bookings/diary/feeds/")
    page.get_by_label("Service").select_option(HUB)
    page.get_by_label("30 days").check()
    manager.press("Make the address")
    manager.go("/bookings/diary/capacity/")
    page.get_by_label("Service").select_option(label="Riverside Hub")
    page.get_by_label("Tell me when there are fewer").fill("1")
    page.get_by_label("In the next hours").fill("24")
    manager.press("Set the alarm")
    expect(page.get_by_role("button", name="Remove")).to_have_count(1)


@pytest.mark.further
def test_what_can_be_done_with_a_row_is_in_sight(people: People) -> None:
    """Somebody else is signed in as the same person, so that there is a session to end."""
    other = people("")
    other.sign_in("manager")
    manager = people("manager", width=PHONE)
    make_a_feed_and_an_alarm(manager)
    for address, act in (
        ("/bookings/diary/feeds/", "Close"),
        ("/bookings/diary/capacity/", "Remove"),
        ("/accounts/security/", "Sign out"),
    ):
        manager.go(address)
        expect(manager.page.locator("main table").get_by_role("button", name=act).first).to_be_visible()
        assert out_of_sight(manager) == [], address
        manager.look()
    manager.go("/accounts/people/")
    assert out_of_sight(manager) == []
    last = manager.page.locator("main table").first.get_by_text("Second factor").last
    box = last.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= PHONE


@pytest.mark.further
@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_the_yes_to_a_long_question_is_read_whole(people: People, width: int) -> None:
    manager = people("manager", width=width)
    manager.go("/admin/api/application/")
    manager.page.locator("input.action-select").first.check()
    manager.page.locator("select[name=action]").select_option("new_secret")
    manager.press("Go")
    yes = manager.page.locator("input[type=submit].default")
    expect(yes).to_be_visible()
    over = "each => [each.scrollWidth - each.clientWidth, each.scrollHeight - each.clientHeight]"
    assert yes.evaluate(over) == [0, 0]
    box = yes.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= width
    manager.look("Make a new secret")
