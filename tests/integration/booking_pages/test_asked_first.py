"""Before a booking's first message the service itself says whether it takes it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse

from bars_portal.exchange.models import OutboundMessage
from bookings.models import Booking
from directory.models import ServiceCapability
from tests.integration.booking_pages.conftest import ANSWERS, Office, make_office
from tests.integration.bookings.loopback import Loopback, answering, refusing, timeout
from tests.integration.request_pages.test_capabilities import definition, searchset, statement
from tests.worlds import Kept, Worlds

BOOKINGS = "bars-message-booking-request"
REFUSAL = "takes no such bookings now"


@pytest.fixture(scope="module")
def kept_office(worlds: Worlds) -> Kept[Office]:
    """Nobody has asked the service yet."""
    return worlds.keep("kept_office", lambda: make_office(Loopback(now=datetime.now(UTC))))


def asked(office: Office) -> list[str]:
    return [each.url.path.rpartition("/")[2] for each in office.network.requests]


def page(office: Office) -> str:
    return str(office.client.get(office.times_page).content.decode())


def says(office: Office, *use_cases: str, listed: str = BOOKINGS, version: str = "1.1.0") -> None:
    told = searchset(definition(*use_cases, event="booking-request"))
    office.network.before += [answering(told), answering(statement(listed, version=version))]


def test_both_are_asked_once_before_the_times(office: Office) -> None:
    assert REFUSAL not in page(office)
    assert asked(office) == ["MessageDefinition", "metadata", "Slot"]
    page(office)
    assert asked(office)[3:] == ["Slot"], "the answers are kept"


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"use_cases": ("a1t1",)}, REFUSAL),
        ({"use_cases": ("a1t2",), "listed": "bars-message-servicerequest-request-referral"}, REFUSAL),
        ({"use_cases": ("a1t2",), "version": "2.0.0"}, "works with another version of the standard"),
    ],
    ids=["other use cases", "message not listed", "other version"],
)
def test_what_it_does_not_take_is_explained_and_can_be_asked_again(
    office: Office, told: dict[str, Any], why: str
) -> None:
    says(office, *told.pop("use_cases"), **told)
    assert why in page(office)
    assert "Slot" not in asked(office)
    shown = office.client.get(reverse("directory:service", args=[office.service.service_id])).content.decode()
    assert why in shown
    assert "See available times" not in shown
    assert "Ask the service again" in shown
    assert office.client.post(reverse("bookings:ask-again", args=[office.service.service_id])).headers[
        "Location"
    ] == (office.times_page)
    assert why not in page(office)


@pytest.mark.parametrize("fault", [timeout, refusing(404, "REC_NOT_FOUND")], ids=["silent", "not found"])
def test_a_service_that_says_nothing_is_taken_at_the_directorys_word(office: Office, fault: Any) -> None:
    office.network.before.append(fault)
    assert REFUSAL not in page(office)
    assert asked(office) == ["MessageDefinition", "Slot"]


def test_only_what_both_say_is_offered(office: Office) -> None:
    says(office, "a1t4", "a3t1")
    shown = page(office)
    assert "Urgent treatment centre, sent by NHS 111" not in shown
    assert ServiceCapability.objects.get().booking_use_cases == ["a1t4", "a3t1"]


@pytest.mark.parametrize(("hours", "is_asked"), [(11, False), (12, True)], ids=["still counts", "too old"])
def test_it_is_asked_again_before_sending_when_its_word_is_too_old(
    office: Office, hours: int, is_asked: bool
) -> None:
    draft = office.draft(answers=ANSWERS)
    ServiceCapability.objects.create(
        service=office.service,
        booking_use_cases=["a1t2"],
        read_at=office.network.now - timedelta(hours=hours),
    )
    office.network.requests.clear()
    says(office, "a1t4")
    office.client.post(reverse("bookings:check", args=[draft.pk]))
    assert asked(office) == (["MessageDefinition", "metadata"] if is_asked else [])
    assert Booking.objects.exists() is not is_asked, "it said that it does not take this kind any more"


@pytest.mark.parametrize(
    ("theirs", "asked_for"),
    [("1.0.0-beta", "1.0.0"), ("1.1.0", "1.1.0"), ("1.34.0", "1.1.0"), ("", "1.0.0")],
    ids=["theirs is lower", "the same", "theirs is higher", "not told"],
)
def test_the_highest_version_that_both_know_is_asked_for(office: Office, theirs: str, asked_for: str) -> None:
    says(office, "a1t2", version=theirs)
    page(office)
    booking = office.booked()
    accepts = [each.headers["Accept"] for each in office.network.requests if each.method == "POST"]
    accepts.append(office.network.requests[2].headers["Accept"])
    assert set(accepts) == {f"application/fhir+json; version={asked_for}"}
    kept = OutboundMessage.objects.get(subject_id=str(booking.pk)).headers
    assert kept["Accept"] == f"application/fhir+json; version={asked_for}"


@pytest.mark.parametrize(
    ("fault", "answers", "fails"),
    [(None, True, False), (timeout, False, True), (refusing(422, "REC_UNPROCESSABLE_ENTITY"), False, False)],
    ids=["accepted", "silent", "refused"],
)
def test_a_delivery_shows_the_services_health(office: Office, fault: Any, answers: bool, fails: bool) -> None:
    draft = office.draft(answers=ANSWERS)
    office.client.post(reverse("bookings:check", args=[draft.pk]))
    type(office.service).objects.update(last_success_at=None, failing_since=None)
    office.network.before += [fault] if fault else []
    office.network.deliver_all()
    office.service.refresh_from_db()
    assert (office.service.last_success_at is not None, office.service.failing_since is not None) == (
        answers,
        fails,
    )
