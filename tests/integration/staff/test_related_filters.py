"""Filters by related rows, such as the services of a list: a few are offered, among many people search."""

import re
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bars_portal.accounts.models import Organisation
from bars_portal.accounts.permissions import Role
from bars_portal.audit.staff_lists import ThereFilter
from bars_portal.correspondence.states import Direction
from bookings.models import Schedule
from directory.models import HealthcareService
from referrals.cases.states import Category
from tests.factories.accounts import make_organisation, make_user
from tests.factories.bookings import make_booking, make_schedule
from tests.factories.referrals import make_case, make_hub
from tests.plans import multiply, plans

pytestmark = pytest.mark.django_db
BOOKINGS, SCHEDULES = "/admin/bookings/booking/", "/admin/bookings/schedule/"


@pytest.fixture(autouse=True)
def two_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ThereFilter, "most", 2)


def signed_in(role: Role | None, organisation: Organisation | None = None, **more: Any) -> Client:
    client = Client()
    backend = "bars_portal.accounts.acting.RoleBackend"
    client.force_login(make_user(role=role, organisation=organisation, **more), backend=backend)
    return client


@pytest.fixture
def superuser() -> Client:
    return signed_in(None, is_superuser=True)


def booked(*names: str, organisation: Organisation | None = None) -> list[HealthcareService]:
    """Services of these names, each with a received booking; and one with none."""
    owner = organisation or make_organisation()
    make_hub(provider=owner, name="Heath without bookings")
    made = [make_hub(provider=owner, name=name) for name in names]
    for service in made:
        make_booking(
            service=service, organisation=owner, direction=Direction.RECEIVED, reference=service.service_id
        )
    return made


def offered(client: Client, address: str) -> tuple[str, list[str]]:
    """The words of the filter by service, and what it offers beside "All"."""
    page = client.get(address)
    assert page.status_code == 200
    text = page.content.decode()
    found = re.search(r'<details data-filter-title="service" open>(.*?)</details>', text, re.DOTALL)
    if found is None:
        return "", []
    links = re.findall(r"<li[^>]*><a[^>]*>(.*?)</a>", found[1])
    return " ".join(re.sub(r"<[^>]+>", " ", found[1].partition("<ul>")[0]).split()), links[1:]


def test_a_few_are_offered_all_of_them(superuser: Client) -> None:
    booked("Abbey", "Heath")
    words, links = offered(superuser, BOOKINGS)
    assert [each.partition(" (")[0] for each in links] == ["Abbey", "Heath"]
    assert "Search for one" not in words


def test_among_many_people_search_by_name_and_by_id(superuser: Client) -> None:
    abbey, heath, _ = booked("Abbey", "Heath", "Park")
    words, links = offered(superuser, BOOKINGS)
    assert "More than 2 are in this list" in words
    assert links == []
    for asked in ("heath", heath.service_id):
        words, links = offered(superuser, f"{BOOKINGS}?service__asked={asked}")
        assert [each.partition(" (")[0] for each in links] == ["Heath"], asked
        assert "Found: 1" in words
    assert offered(superuser, f"{BOOKINGS}?service__asked=nowhere")[1] == []
    # The list itself is of all until one is chosen, and what is chosen stays there to be seen.
    assert superuser.get(f"{BOOKINGS}?service__asked=heath").context["cl"].result_count == 3
    chosen = f"{BOOKINGS}?service__id__exact={abbey.pk}"
    assert [each.partition(" (")[0] for each in offered(superuser, chosen)[1]] == ["Abbey"]
    assert superuser.get(chosen).context["cl"].result_count == 1


def test_of_many_found_the_first_are_shown(superuser: Client) -> None:
    booked("Heath 3", "Heath 1", "Heath 2")
    words, links = offered(superuser, f"{BOOKINGS}?service__asked=heath&q=&p=1")
    assert [each.partition(" (")[0] for each in links] == ["Heath 1", "Heath 2"]
    assert "The first 2 of those found are shown" in words


def test_a_search_keeps_what_else_is_asked(superuser: Client) -> None:
    booked("Abbey", "Heath", "Park")
    page = superuser.get(f"{BOOKINGS}?status__exact=booked&service__asked=<b>&p=1").content.decode()
    assert '<input type="hidden" name="status__exact" value="booked">' in page
    assert 'value="&lt;b&gt;"' in page
    assert 'type="hidden" name="p"' not in page


@pytest.mark.parametrize("asked", ["service__id__exact=nothing", f"service__asked={quote(chr(0))}"])
def test_what_is_no_service_is_offered_nobody(superuser: Client, asked: str) -> None:
    booked("Abbey", "Heath", "Park")
    page = superuser.get(f"{BOOKINGS}?{asked}", follow=True)
    assert page.status_code == 200


@pytest.mark.parametrize("most", [2, 100])
def test_nobody_is_offered_services_of_others(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Neither by the list's own organisation (bookings), nor by the services' (diaries)."""
    monkeypatch.setattr(ThereFilter, "most", most)
    own, other = make_organisation(), make_organisation()
    ours, theirs = (
        booked(*(f"{name} {number}" for number in range(3)), organisation=each)
        for name, each in (("Heath", own), ("Heathrow", other))
    )
    for service in (*ours, *theirs):
        make_schedule(service=service)
    client = signed_in(Role.MANAGER, own)
    for address in (BOOKINGS, SCHEDULES):
        asked = f"{address}?service__asked=heath&service__id__exact={theirs[0].pk}"
        names = {each.partition(" (")[0] for each in offered(client, asked)[1]}
        assert names, address
        assert names <= {each.name for each in ours}, address
        assert len(names) == min(most, 3), address


def test_many_are_not_walked_to_the_last(superuser: Client) -> None:
    schedule = make_schedule()
    multiply(schedule, 500, id="gen_random_uuid()", service_id="md5(n::text)::uuid", clinic_id="NULL::uuid")

    def walked(plan: Any) -> float:
        own = plan["Actual Rows"] * plan["Actual Loops"] if plan["Node Type"] == "WorkTable Scan" else 0
        return max([float(own), *map(walked, plan.get("Plans", ()))])

    told = [walked(plan) for _, plan in plans(lambda: superuser.get(SCHEDULES))]
    assert 0 < max(told) <= 3


@pytest.mark.parametrize("name", ["booking", "referral", "validationcase"])
def test_a_list_of_records_asks_for_their_services_once(superuser: Client, name: str) -> None:
    def make() -> None:
        if name == "booking":
            make_booking()
        else:
            make_case(Category.REFERRAL if name == "referral" else Category.VALIDATION)

    room = "bookings" if name == "booking" else "referrals"

    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            superuser.get(f"/admin/{room}/{name}/")
        return len(asked)

    make()
    make()
    statements()
    few = statements()
    for _ in range(4):
        make()
    assert statements() <= few


def test_the_box_of_a_row_is_as_django_draws_it() -> None:
    page = admin.site.get_model_admin(Schedule)
    schedule = make_schedule(name='Room <2> & "3"')
    assert page.action_checkbox(schedule) == ModelAdmin.action_checkbox(page, schedule)
