"""docs/permissions.md is as the code is, and what it says of the administration is what happens there."""

from io import StringIO
from pathlib import Path

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.test import Client

from bars_portal.accounts.permissions import PERMISSIONS, Role
from bars_portal.audit.actor import SYSTEM
from bars_portal.audit.models import AuditEvent
from bars_portal.audit.services import record
from bars_portal.audit.staff_pages import StaffAdmin
from bars_portal.management.commands.list_permissions import staff_acts
from referrals.cases.settings import BreachRule
from tests.factories.patients import NOW
from tests.integration.staff.conftest import World
from tests.profiles import share

PAGE = Path(__file__).parents[3] / "docs" / "permissions.md"


def test_the_page_is_as_the_code_is() -> None:
    out = StringIO()
    call_command("list_permissions", stdout=out)
    assert PAGE.read_text() == out.getvalue(), "run manage.py list_permissions > docs/permissions.md"


def done(client: Client, page: StaffAdmin, key: object) -> set[str]:
    """What somebody can really do there, by the pages that they are shown."""
    base = f"/admin/{page.opts.app_label}/{page.opts.model_name}/"
    listed = client.get(base)
    if listed.status_code != 200:
        assert listed.status_code == 403
        return set()
    shown = client.get(f"{base}{key}/change/")
    assert shown.status_code == 200
    found = {"view"}
    found |= {"add"} if client.get(f"{base}add/").status_code == 200 else set()
    found |= {"change"} if b'name="_save"' in shown.content else set()
    found |= {"delete"} if client.get(f"{base}{key}/delete/").status_code == 200 else set()
    form = listed.context["cl"].model_admin.get_actions(listed.wsgi_request)
    return found | {str(words) for _, _, words in form.values()}


OPENING = [each for each in Role if "portal.open_admin" in PERMISSIONS[each]]


@pytest.mark.parametrize(("number", "role"), list(enumerate(OPENING)))
def test_at_home_a_role_does_what_the_table_says(world: World, number: int, role: Role) -> None:
    """In turns: each page by every other role."""
    client, keys = world.client(role, at_home=True), {type(row): row.pk for row in world.rows}
    if role is Role.INSTALLER:
        # Of a service, a rule is its manager's.
        keys[BreachRule] = BreachRule.objects.create(service=None, minutes=9).pk
        # Of an organisation, an event is its auditor's.
        keys[AuditEvent] = record(actor=SYSTEM, action="tests.deed", now=NOW).pk
    table: dict[StaffAdmin, set[str]] = {}
    for each in staff_acts():
        table.setdefault(each.page, set()).update({each.act} if role in each.roles else ())
    for page, acts in (each for at, each in enumerate(table.items()) if share([each], number + at, of=2)):
        key = keys.get(page.model) or page.model._default_manager.values_list("pk", flat=True).first()
        assert done(client, page, key) == acts, page.opts.label


def test_the_table_has_every_page() -> None:
    assert {each.page for each in staff_acts()} == set(admin.site._registry.values())


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.CLERK], ids=str)
def test_others_do_not_open_the_administration(world: World, role: Role) -> None:
    assert world.client(role, at_home=True).get("/admin/", follow=True).status_code == 403
