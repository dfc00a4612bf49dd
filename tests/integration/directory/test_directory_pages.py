from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bars_portal.accounts.permissions import Role
from tests.factories.accounts import make_user
from tests.factories.bookings import make_schedule, make_slot
from tests.factories.directory import ALWAYS, make_endpoint, make_postcodes, make_service
from tests.profiles import share

pytestmark = pytest.mark.django_db

SEARCH = "/services/"
HOSTILE = [
    "\x00",
    "%",
    "_",
    "\\",
    "<script>alert(1)</script>",
    "' OR 1=1 --",
    "x" * 10_000,
    "\u202e",
    "\U0001f4a9",
]
FIELDS = ["name", "postcode", "type", "use_case", "takes", "dos_id", "page"]


def signed_in(role: Role = Role.CLINICIAN) -> Client:
    client = Client()
    client.force_login(make_user(role=role))
    return client


def body(client: Client, path: str, **headers: str) -> str:
    response = client.get(path, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.CLINICIAN, 200),
        (Role.CLERK, 200),
        (Role.MANAGER, 200),
        (Role.ENGINEER, 403),
        (Role.AUDITOR, 403),
    ],
)
def test_who_may_open_the_pages(role: Role, status: int) -> None:
    service = make_service()
    client = signed_in(role)

    assert client.get(SEARCH).status_code == status
    assert client.get(reverse("directory:service", args=[service.service_id])).status_code == status


@pytest.mark.parametrize("path", [SEARCH, "/services/2000099001/"])
def test_strangers_are_sent_to_sign_in(path: str) -> None:
    response = Client().get(path)

    assert response.status_code == 302
    assert response.headers["Location"].startswith("/accounts/")


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_pages_are_only_read(method: str) -> None:
    assert getattr(signed_in(), method)(SEARCH).status_code == 405


def test_nothing_is_listed_before_a_search() -> None:
    make_service(name="Riverside")

    page = body(signed_in(), SEARCH)

    assert "Search for a service" in page
    assert "Riverside" not in page


def test_an_empty_search_lists_every_service() -> None:
    make_service(name="Riverside")

    page = body(signed_in(), f"{SEARCH}?name=&postcode=")

    assert "1 service found" in page
    assert "Riverside" in page


def test_a_card_tells_what_matters() -> None:
    make_postcodes({"LS14AP": (53.7965, -1.5478), "LS14AQ": (53.81, -1.5478)})
    make_service(
        name="Riverside UTC",
        address_lines=["1 Wharf Street"],
        postcode="LS1 4AP",
        takes_referrals=True,
        requires_booking=True,
        opening_hours=ALWAYS,
        phone="0113 496 0003",
        last_success_at=timezone.now() - timedelta(minutes=12),
    )

    page = body(signed_in(), f"{SEARCH}?postcode=ls14aq")

    for words in (
        "Urgent treatment centre, run by",
        "1 Wharf Street, LS1 4AP",
        "0.9 miles",
        "Open 24 hours",
        "0113 496 0003",
        "Takes bookings",
        "Takes referrals",
        "Requires a booking first",
        "12 minutes ago (",
    ):
        assert words in page


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"active": False}, "This service is not active."),
        ({"takes_bookings": False}, "This service does not take bookings."),
    ],
)
def test_a_service_that_cannot_be_booked_says_why(changes: dict[str, Any], words: str) -> None:
    service = make_service(**changes)
    client = signed_in()

    assert words in body(client, f"{SEARCH}?dos_id={service.service_id}")
    page = body(client, reverse("directory:service", args=[service.service_id]))
    assert words.rstrip(".") in page
    assert "See available times" not in page


def test_distances_that_are_not_exact_say_so() -> None:
    make_postcodes({"LS14AP": (53.7965, -1.5478)})
    make_service(postcode="LS1 4AP")
    client = signed_in()

    assert "Distances are measured from the middle of LS1." in body(client, f"{SEARCH}?postcode=LS1")
    assert "Distances from YO1 7HH are not known." in body(client, f"{SEARCH}?postcode=YO17HH")


def test_nothing_found_offers_what_to_try() -> None:
    page = body(signed_in(), f"{SEARCH}?name=nowhere")

    assert "0 services found" in page
    assert "You can try:" in page
    assert 'value="nowhere"' in page


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"postcode": "LS"}, "Enter a full UK postcode"),
        ({"dos_id": "abc"}, "DoS service ID must be up to 20 numbers"),
        ({"name": "x" * 101}, "Name of the service must be 100 characters or fewer"),
        ({"name": "a\x00b"}, "Name of the service contains characters that cannot be used"),
        ({"type": "castle"}, "Select type of service"),
    ],
)
def test_errors_are_said_twice_and_keep_what_was_typed(query: dict[str, str], words: str) -> None:
    page = body(signed_in(), f"{SEARCH}?{urlencode({**query, 'name': query.get('name', 'kept')})}")

    assert "<title>" in page
    assert "Error: Find a service" in page
    assert page.count(words) == 2
    assert "found</h2>" not in page
    assert ('value="kept"' in page) is ("name" not in query)


@pytest.mark.parametrize(("number", "field"), list(enumerate(FIELDS)))
def test_hostile_queries_never_break_the_page(number: int, field: str) -> None:
    make_service(name="Riverside")
    client = signed_in()
    for turn, value in enumerate(HOSTILE, start=number):
        path = f"{SEARCH}?{urlencode({field: value})}"
        response = client.get(path)
        assert response.status_code == 200, ascii(value)
        assert b"<script>alert(1)" not in response.content
        # The results alone, which the whole page has too: in turns.
        for part in share([path], turn, of=2):
            assert client.get(part, headers={"HX-Request": "true"}).status_code == 200, ascii(value)


@pytest.mark.parametrize("page", ["0", "-1", "999999999999999999999", "abc", "\u0661", "last"])
def test_pages_that_do_not_exist_show_one_that_does(page: str) -> None:
    make_service(name="Riverside")

    assert "Riverside" in body(signed_in(), f"{SEARCH}?{urlencode({'name': '', 'page': page})}")


def test_more_than_one_page_keeps_the_search_in_its_links() -> None:
    for _ in range(21):
        make_service(name="Riverside")

    page = body(signed_in(), f"{SEARCH}?name=river&page=2")

    assert "21 services found" in page
    assert 'start="21"' in page
    assert 'href="/services/?name=river&amp;page=1"' in page


def test_htmx_gets_the_results_alone_and_an_announcement() -> None:
    make_service(name="Riverside")

    part = body(signed_in(), f"{SEARCH}?name=river", **{"HX-Request": "true"})

    assert "<html" not in part
    assert part.lstrip().startswith('<div id="results">')
    assert 'id="app-live"' in part
    assert "<title>Find a service (1 service found)" in part


def test_htmx_loads_the_whole_page_for_errors_and_for_history() -> None:
    client = signed_in()
    path = f"{SEARCH}?postcode=LS"

    refused = client.get(path, headers={"HX-Request": "true"})
    restored = client.get(
        f"{SEARCH}?name=", headers={"HX-Request": "true", "HX-History-Restore-Request": "true"}
    )

    assert refused.headers["HX-Redirect"] == path
    assert b"<html" in restored.content
    assert restored.content.count(b'id="app-live"') == 1


def test_the_service_page_tells_everything_known() -> None:
    service = make_service(
        name="Riverside UTC",
        address_lines=["1 Wharf <b>Street</b>"],
        postcode="LS1 4AP",
        phone="01134960000",
        opening_hours={"mon": [["08:00", "20:00"]], "tue": [["22:00", "06:00"]], "wed": [["00:00", "24:00"]]},
        accepted_use_cases=["a1t2", "a1t4"],
    )

    page = body(signed_in(), reverse("directory:service", args=[service.service_id]))

    for words in (
        "1 Wharf &lt;b&gt;Street&lt;/b&gt;<br>LS1 4AP",
        "0113 496 0000",
        "Urgent treatment centre, sent by NHS 111",
        "08:00 to 20:00",
        "22:00 to 06:00 the next day",
        "Open 24 hours",
        "No contact so far",
        service.service_id,
        service.provider.name,
    ):
        assert words in page
    assert page.count("<h1") == 1


def test_what_is_not_known_is_said() -> None:
    service = make_service(accepted_use_cases=[])

    page = body(signed_in(), reverse("directory:service", args=[service.service_id]))

    assert "Opening hours not known" in page
    assert page.count("Not stated") == 3


def test_the_way_to_slots_is_for_those_who_may_search_them() -> None:
    service = make_service()
    path = reverse("directory:service", args=[service.service_id])
    slots = reverse("bookings:slots", args=[service.service_id])

    assert f'href="{slots}"' in body(signed_in(Role.CLERK), path)
    page = body(signed_in(Role.MANAGER), path)
    assert slots not in page
    assert "Your role does not include booking appointments." in page


@pytest.mark.parametrize("service_id", ["1", "abc", "%00", "9" * 10_000, "%25", "..", "%D9%A1"])
def test_a_service_that_does_not_exist_is_404(service_id: str) -> None:
    assert signed_in().get(f"/services/{service_id}/").status_code == 404


@pytest.mark.parametrize("hours", ["nonsense", {"mon": 3}, [], {"mon": [["99:99", "1"]]}])
def test_stored_hours_that_make_no_sense_do_not_break_pages(hours: object) -> None:
    service = make_service(opening_hours=hours)
    client = signed_in()

    assert "Opening hours not known" in body(client, f"{SEARCH}?name=")
    assert "Opening hours not known" in body(client, reverse("directory:service", args=[service.service_id]))


class TestTypeAhead:
    TYPING = {"HX-Request": "true", "HX-Trigger-Name": "name"}

    def test_the_results_follow_what_is_typed(self) -> None:
        make_service(name="Riverside")
        client = signed_in()

        page = body(client, SEARCH)
        part = body(client, f"{SEARCH}?name=riv", **self.TYPING)

        assert 'hx-trigger="input changed delay:300ms"' in page
        assert "<html" not in part
        assert "Riverside" in part
        assert "1 service found" in part

    def test_half_a_postcode_changes_nothing_while_typing(self) -> None:
        assert signed_in().get(f"{SEARCH}?name=riv&postcode=L", headers=self.TYPING).status_code == 204

    def test_after_an_error_the_page_stays_until_the_button(self) -> None:
        assert "hx-trigger" not in body(signed_in(), f"{SEARCH}?name=riv&postcode=L")


def test_a_card_says_why_a_service_cannot_be_chosen_and_how_it_is() -> None:
    now = timezone.now()
    service = make_service(name="Riverside", failing_since=now - timedelta(hours=2))
    make_endpoint(service=service, status="suspended")
    client = signed_in()

    for path in (f"{SEARCH}?name=riv", f"{SEARCH}{service.service_id}/"):
        page = body(client, path)
        assert "The endpoint of this service is suspended." in page
        assert "Not answering since" in page
        assert "2 hours ago" in page
    assert "See available times" not in page
    slots = body(client, reverse("bookings:slots", args=[service.service_id]))
    assert "The endpoint of this service is suspended. Choose another service." in slots


def test_the_soonest_may_come_first() -> None:
    service = make_service(name="Riverside")
    make_slot(schedule=make_schedule(service=service), start=timezone.now() + timedelta(hours=1))

    assert "Next free time" in body(signed_in(), f"{SEARCH}?order=soonest")


def test_attributes_are_shown_where_they_matter() -> None:
    make_postcodes({"LS14AP": (53.8, -1.5), "YO17HH": (53.96, -1.08)})
    service = make_service(
        name="Riverside Pharmacy",
        service_type="pharmacy",
        postcode="YO1 7HH",
        catchment_miles=12.5,
        referral_roles=["NHS 111", "General practice"],
        opening_hours=ALWAYS,
        bank_holiday_hours=[["10:00", "16:00"]],
    )
    make_service(name="Riverside Closed", service_type="pharmacy", opening_hours={"mon": []})
    client = signed_in()

    found = body(client, f"{SEARCH}?name=riverside&postcode=LS1+4AP")
    page = body(client, f"{SEARCH}{service.service_id}/")

    assert (
        found.count("Outside the area of this service, which takes patients from up to 12.5 miles away") == 1
    )
    assert found.count("Phone the pharmacy before you send a patient there.") == 1
    for words in ("Who may send patients", "General practice", "Bank holidays", "10:00 to 16:00"):
        assert words in page
