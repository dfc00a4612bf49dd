"""Finding and booking with Tab, Enter and typing alone; the focus is always to be seen."""

import pytest
from playwright.sync_api import Page, TimeoutError, expect

from tests.browser.chromium import until_drawn
from tests.browser.conftest import People

pytestmark = pytest.mark.browser
MANY = 150
# What has the focus in words, and whether it looks different for it.
_FOCUS = """() => {
  const it = document.activeElement, style = getComputedStyle(it), box = it.getBoundingClientRect();
  const marks = [style.outlineStyle !== 'none', style.boxShadow !== 'none',
                 style.backgroundColor === 'rgb(255, 235, 59)'];
  const label = it.labels && it.labels.length ? it.labels[0].innerText : it.innerText;
  const next = it.nextElementSibling;
  marks.push(next !== null && getComputedStyle(next, '::before').boxShadow !== 'none');
  return {text: (label || '').trim(), id: it.id, nowhere: it === document.body, visible: marks.some(Boolean),
          shown: box.bottom > 0 && box.top < innerHeight};
}"""
# A scroll or a fade may take a few frames.
_IN_SIGHT = f"() => {{ const focus = ({_FOCUS})(); return focus.visible && focus.shown }}"


def reach(page: Page, *, text: str = "", id: str = "") -> None:
    """Tab until the thing has the focus; each stop on the way must be visible."""
    until_drawn(page)
    for _ in range(MANY):
        page.keyboard.press("Tab")
        focus = page.evaluate(_FOCUS)
        if focus["nowhere"]:
            # Past the last stop, or not heard yet.
            continue
        if not (focus["visible"] and focus["shown"]):
            assert_comes_in_sight(page)
        if (id and focus["id"] == id) or (text and text in focus["text"]):
            return
    raise AssertionError(f"not reached by Tab: {text or id}")


def assert_comes_in_sight(page: Page) -> None:
    try:
        page.wait_for_function(_IN_SIGHT)
    except TimeoutError as error:
        raise AssertionError(page.evaluate(_FOCUS)) from error


def press(page: Page, text: str) -> None:
    reach(page, text=text)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_book_by_keyboard(people: People) -> None:
    person = people()
    page = person.page
    person.go()
    press(page, "Find a service")
    reach(page, id="id_name")
    page.keyboard.type("Riverside Hub")
    # What is found while typing is an answer of its own, and changes the address: Enter comes after it.
    expect(page.locator("#results h3")).to_have_count(1)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("#results h3")).to_have_count(1)
    press(page, "Riverside Hub")
    press(page, "See available times")
    second_day = page.locator(".app-slots__table tbody tr").nth(1).locator("button").first.inner_text()
    press(page, " on " + second_day.partition(" on ")[2].splitlines()[0])
    reach(page, id="test_patient")
    page.keyboard.press("ArrowDown")
    press(page, "Fill in")
    press(page, "Continue")
    press(page, "Book the appointment")
    expect(page.locator("h1")).to_contain_text("Appointment booked")
    press(page, "I have told the patient")
    expect(page.locator("main")).to_contain_text("The patient was told on")


def test_the_skip_link_leads_to_the_content(people: People) -> None:
    person = people()
    page = person.page
    person.go()
    page.keyboard.press("Tab")
    expect(page.locator(".nhsuk-skip-link")).to_be_focused()
    assert page.evaluate(_FOCUS)["text"] == "Skip to main content"
    expect(page.locator(".nhsuk-skip-link")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("main :focus")).to_have_count(1)


@pytest.mark.further
def test_the_error_summary_is_left_by_keyboard_to_its_field(people: People) -> None:
    person = people()
    page = person.page
    person.open_times("2000099999")
    person.choose_time()
    person.press("Continue")
    expect(page.locator(".nhsuk-error-summary")).to_be_focused()
    reach(page, text="Enter family name")
    page.keyboard.press("Enter")
    expect(page.locator("#id_family_name")).to_be_focused()
