"""An engineer reads what became of a message: one that was pasted, and those of the log, tried again."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import People
from tests.browser.person import UTC_SERVICE, Person
from tests.unit.exchange_fhir.factory import booking, ref

pytestmark = pytest.mark.browser


def explains_what_is_pasted(engineer: Person) -> None:
    broken = booking()
    broken["entry"][1]["resource"]["slot"] = [ref(77)]
    engineer.go("/")
    engineer.follow("Explain a message")
    engineer.look("Explain a message")
    engineer.press("Explain")
    expect(engineer.page.get_by_role("alert")).to_contain_text("Paste a message")
    engineer.look()
    engineer.page.get_by_label("Message").fill(json.dumps(broken, indent=2))
    engineer.press("Explain")
    engineer.look("Message explained")
    finding = engineer.page.get_by_role("article", name=re.compile("references"))
    expect(finding).to_contain_text("points at nothing in the Bundle")
    expect(finding).to_contain_text("The sender")
    expect(finding.locator("mark").first).to_contain_text("000000000077")
    assert "Zebedee" not in engineer.page.content()
    engineer.page.get_by_text("Every rule: ").click()
    engineer.look()


def explains_the_newest(engineer: Person, model: str) -> None:
    engineer.go(f"/admin/exchange/{model}/")
    engineer.page.locator("#result_list tbody tr").first.get_by_role("link").first.click()
    engineer.follow("Explain this message")
    engineer.look("Message explained")


@pytest.mark.further
@pytest.mark.alone
def test_an_engineer_reads_why(people: People, either_width: int) -> None:
    people().book(UTC_SERVICE)
    engineer = people("", width=either_width)
    engineer.sign_in("engineer")
    explains_what_is_pasted(engineer)
    explains_the_newest(engineer, "outboundmessage")
    expect(engineer.page.get_by_role("region", name="The answers to it")).to_contain_text("200 OK")
    engineer.go("/accounts/choose-organisation/")
    engineer.page.get_by_role("radio", name="Riverside Health").check()
    engineer.press("Continue")
    explains_the_newest(engineer, "inboundmessage")
    engineer.press("Dry run")
    engineer.look("Dry run of a message")
    expect(engineer.page.locator("main")).to_contain_text("nothing of it was kept")
    expect(engineer.page.get_by_role("region", name="Our answer then, and now")).to_contain_text(
        "Then and now"
    )
