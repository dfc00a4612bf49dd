"""Where a screen of the administration leads to: never to a page that is not theirs."""

from typing import Any

import pytest
from lxml import html

from bars_portal.accounts.permissions import Role
from tests.factories.accounts import confirm
from tests.integration.staff.conftest import World
from tests.integration.staff.test_every_screen import address_of, rows_by_page


@pytest.mark.parametrize("role", [Role.MANAGER, Role.ENGINEER, Role.AUDITOR], ids=str)
def test_no_row_leads_to_a_page_that_its_reader_may_not_open(world: World, role: Role) -> None:
    client = world.client(role, at_home=True)
    faults: list[str] = []
    followed: set[str] = set()
    confirm(client)
    for page, row in rows_by_page(world):
        answer = client.get(f"{address_of(page)}{row.pk}/change/")
        if answer.status_code != 200:
            continue
        screen: Any = html.fromstring(answer.content)
        for link in map(str, screen.xpath("//div[@id='content']//div[@class='readonly']//a/@href")):
            if link.startswith("/") and link not in followed:
                followed.add(link)
                if client.get(link, follow=True).status_code != 200:
                    faults.append(f"{page.opts.model_name}: {link}")
    assert followed
    assert not faults, "\n".join(faults)
