"""What the address of a list may ask: nothing that lets masked values be guessed piece by piece."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory

from bars_portal.accounts.permissions import Role
from bars_portal.audit.models import AuditEvent
from bars_portal.audit.staff_pages import StaffAdmin
from bars_portal.patients.models import Journey, Patient
from tests.factories.accounts import make_user
from tests.factories.everything import MARK
from tests.factories.patients import NOW, make_patient
from tests.integration.staff.conftest import World

PAGES = [each for each in admin.site._registry.values() if isinstance(each, StaffAdmin)]
LOOKUPS = (
    *("", "__exact", "__iexact", "__contains", "__icontains", "__startswith", "__istartswith", "__endswith"),
    *("__regex", "__iregex", "__gt", "__gte", "__lt", "__lte", "__in", "__range", "__isnull", "__isempty"),
    *("__year", "__date", "__length", "__has_key", "__0", "__contained_by", "__overlap", "__search"),
)


def of(page: StaffAdmin) -> str:
    return page.opts.label_lower


@pytest.fixture
def request_of_everything(rf: RequestFactory, db: None) -> Any:
    request = rf.get("/admin/")
    request.user = make_user(role=None, is_superuser=True)
    return request


def fields(page: StaffAdmin) -> Iterator[str]:
    """Of the model, and of all models that it leads to."""
    for field in page.model._meta.get_fields():
        yield field.name
        if field.is_relation and field.related_model:
            yield from (f"{field.name}__{each.name}" for each in field.related_model._meta.get_fields())


def test_every_page_of_the_administration_is_one_of_ours() -> None:
    assert [str(each) for each in admin.site._registry.values() if not isinstance(each, StaffAdmin)] == []
    for each in PAGES:
        assert hasattr(each, "owner"), "says whose its rows are"
        assert each.owner is not None or each.whose != StaffAdmin.whose, "and of whom, when they are shared"
        assert each.show_facets is admin.ShowFacets.NEVER


@pytest.mark.parametrize("page", PAGES, ids=of)
def test_listed_are_the_parameters_that_the_page_itself_writes(
    page: StaffAdmin, request_of_everything: Any
) -> None:
    changelist = page.get_changelist_instance(request_of_everything)
    written = {name for each in changelist.filter_specs for name in each.expected_parameters()}
    assert written <= page.listed_lookups(request_of_everything)


@pytest.mark.parametrize("page", PAGES, ids=of)
def test_nothing_else_can_be_asked(page: StaffAdmin, request_of_everything: Any) -> None:
    """Every field, and every field of what it leads to, with every lookup."""
    allowed = {
        f"{name}{lookup}"
        for name in fields(page)
        for lookup in LOOKUPS
        if page.lookup_allowed(f"{name}{lookup}", "x", request_of_everything)
    }
    assert allowed <= page.listed_lookups(request_of_everything)
    # By what is shown: states, kinds, services, organisations and times.
    masked = {
        "body",
        "reply",
        "headers",
        "password",
        "content",
        "family_name",
        "nhs_number",
        "detail",
        "patient",
    }
    assert not [each for each in allowed if masked & set(each.split("__"))]


ORACLES = (
    ("accounts/user", "password__startswith", "md5", "xxx"),
    ("accounts/user", "last_name__regex", "^Z", "^Q"),
    ("exchange/outboundmessage", "body__contains", MARK, "Quetzal"),
    ("exchange/inboundmessage", "headers__X-Request-Id__startswith", "Zan", "Que"),
    ("exchange/inboundmessage", "received_at__gt", "2000-01-01", "2100-01-01"),
    ("bookings/booking", "patient__family_name__istartswith", "Q", "Z"),
    ("patients/patient", "nhs_number__startswith", "9", "1"),
    ("patients/patient", "contacts__name", "", "x"),
    ("directory/catalogueimport", "content__contains", "Taken", "Quetzal"),
    ("audit/auditevent", "actor_user__password__startswith", "md5", "x"),
)


@pytest.mark.parametrize(("page", "asked", "hit", "miss"), ORACLES, ids=lambda each: str(each)[:40])
def test_a_guess_that_is_right_looks_like_one_that_is_wrong(
    world: World, page: str, asked: str, hit: str, miss: str
) -> None:
    client = world.client(*Role, at_home=True)
    answers = [client.get(f"/admin/{page}/", {asked: value}) for value in (hit, miss)]
    assert [each.status_code for each in answers] == [400, 400]
    # A nonce and the reference of the page are new each time.
    shown = [re.sub(r'nonce="[^"]+"|[0-9a-f]{8}', "", each.content.decode()) for each in answers]
    assert shown[0] == shown[1]
    refused = AuditEvent.objects.filter(action="accounts.open_page", outcome="refused").last()
    assert refused is not None
    assert hit not in str(refused.detail) or not hit
    assert refused.detail["status"] == 400


@pytest.mark.parametrize("model", [Patient, Journey], ids=["patient", "journey"])
def test_rows_are_sorted_by_listed_columns_only(world: World, model: type[Patient] | type[Journey]) -> None:
    for hours in range(3):
        made = NOW + timedelta(hours=hours)
        patient = make_patient(organisation=world.owner, now=made)
        Journey.objects.filter(pk=patient.journey_id).update(journey_id=UUID(int=hours), created_at=made)
    client = world.client(Role.AUDITOR, at_home=True)

    def shown(order: str) -> list[Any]:
        found = client.get(f"/admin/patients/{model._meta.model_name}/?o={order}").context["cl"]
        return [row.pk for row in found.result_list]

    columns = admin.site.get_model_admin(model).list_display
    for number, column in enumerate(columns):
        # Its words are when the record was made.
        is_listed = column == "title"
        assert (shown(str(number)) != shown(f"-{number}")) is is_listed, column


@pytest.mark.parametrize("page", PAGES, ids=of)
def test_a_list_that_is_read_is_on_the_trail(world: World, page: StaffAdmin) -> None:
    client = world.client(*Role, at_home=True)
    address = f"/admin/{page.opts.app_label}/{page.opts.model_name}/"
    assert client.get(address, {"q": "Somebody"} if page.search_fields else {}).status_code == 200
    event = AuditEvent.objects.get(action=f"{page.opts.app_label}.view_list")
    assert event.organisation_id == world.owner.pk
    told = {"of": page.opts.model_name, **({"filters": "q"} if page.search_fields else {})}
    assert event.detail == told, "what was typed is not told"


def test_a_row_is_named_by_its_key_alone(world: World) -> None:
    """Otherwise an address says whether a value is there."""
    for page in PAGES:
        names = [each.name for each in page.opts.get_fields() if not getattr(each, "primary_key", False)]
        assert not [each for each in names if page.to_field_allowed(None, each)], of(page)  # type: ignore[arg-type]  # not looked at


def test_nobody_else_finds_the_lists(client: Client, world: World) -> None:
    client.force_login(world.person(Role.CLINICIAN, at_home=True))
    assert client.get("/admin/patients/patient/?family_name=Quill", follow=True).status_code == 403
