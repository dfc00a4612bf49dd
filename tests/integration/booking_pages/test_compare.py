"""The first free times of several services on one page: real answers, and a service that gives none."""

from html import unescape

import pytest
from django.urls import reverse

from bars_portal.nhsuk.dates import format_datetime
from tests.factories.directory import make_service
from tests.integration.booking_pages.conftest import Office

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_soonest_comes_first_and_who_has_none_says_why(office: Office) -> None:
    closed = make_service(service_id="2000088801", name="A closed diary", takes_bookings=False)
    asked = [closed.service_id, office.service.service_id, "2000000000"]
    page = office.client.get(reverse("bookings:compare"), {"service": asked})
    text = unescape(page.content.decode())
    assert format_datetime(min(each.start for each in office.slots)) in text
    assert "This service does not take bookings." in text
    assert text.index(office.service.name) < text.index(closed.name)
    assert "2000000000" not in text.partition("<table")[2].partition("</table>")[0]


def test_nothing_to_compare_says_so(office: Office) -> None:
    assert "No services to compare" in office.client.get(reverse("bookings:compare")).content.decode()


def test_a_search_leads_there(office: Office) -> None:
    make_service(service_id="2000088802", name="Another")
    page = unescape(office.client.get(reverse("directory:search"), {"name": ""}).content.decode())
    assert f"{reverse('bookings:compare')}?service=" in page
    assert "&service=" in page
