"""Reading an appointment back before it is changed."""

from typing import Any
from uuid import uuid4

import pytest

from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.correspondence.latest import Latest, LatestState
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.identifiers import SERVICE_ID_SYSTEM
from bookings.latest import read_latest
from bookings.models import Booking
from bookings.services.cancelling import request_cancel
from bookings.states import BookingStatus
from directory.models import ServiceCapability
from directory.remote import MOST_PAGES, search, sender_identity
from directory.services.entries import clear_capability, read_capability
from tests.factories.bookings import NOW
from tests.factories.patients import make_details
from tests.integration.bookings.conftest import Desk
from tests.integration.bookings.loopback import BASE, Fault, answering, refusing, timeout


def latest(desk: Desk, booking: Booking) -> Latest:
    return read_latest(desk.network.client, booking=booking, sender=sender_identity(desk.acting), now=NOW)


def appointment(**changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Appointment",
        "id": "a",
        "status": "booked",
        "start": "2026-11-22T10:00:00Z",
        "end": "2026-11-22T10:15:00Z",
        **changes,
    }


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (answering(appointment()), LatestState.CURRENT),
        (answering(appointment(start="2026-11-22T11:00:00+01:00")), LatestState.CURRENT),
        (answering(appointment(start="2026-11-22T10:05:00Z")), LatestState.CHANGED),
        (answering(appointment(start="soon", end=None)), LatestState.CHANGED),
        (answering(appointment(status="cancelled")), LatestState.OVER),
        (answering(appointment(status="noshow")), LatestState.OVER),
        (refusing(404, "REC_NOT_FOUND", "not-found"), LatestState.MISSING),
        (refusing(401, "REC_UNAUTHORIZED", "forbidden"), LatestState.UNREACHABLE),
        (refusing(500, "REC_SERVER_ERROR", "exception"), LatestState.UNREACHABLE),
        (timeout, LatestState.UNREACHABLE),
        (answering({"resourceType": "Bundle", "type": "searchset"}), LatestState.UNREACHABLE),
    ],
)
def test_what_the_receiver_holds(desk: Desk, fault: Any, state: LatestState) -> None:
    booking = desk.book()
    desk.network.before.append(fault)
    found = latest(desk, booking)
    assert found.state is state
    assert found.can_be_changed == (state in (LatestState.CURRENT, LatestState.CHANGED))
    assert found.sentence.endswith(".")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"nhs_number": "", "nhs_number_verified": False},
        {"nhs_number_verified": False},
    ],
)
def test_without_the_receivers_id_it_is_searched_by_patient(desk: Desk, changes: dict[str, Any]) -> None:
    booking = desk.request(details=make_details(**changes))
    desk.network.deliver_all()
    desk.request(details=make_details(**changes), draft=desk.draft())
    desk.network.deliver_all()
    booking.refresh_from_db()
    booking.remote_id = ""
    found = latest(desk, booking)
    assert found.state is LatestState.CURRENT
    theirs = Booking.objects.get(direction=Direction.RECEIVED, start=booking.start)
    assert found.resource["id"] == str(theirs.pk)


def bundle(*, following: str = "", **more: Any) -> dict[str, Any]:
    links = [{"relation": "self", "url": "Appointment?patient:identifier=x"}]
    links += [{"relation": "next", "url": following}] if following else []
    return {"resourceType": "Bundle", "type": "searchset", "link": links, **more}


HELD = {"fullUrl": "urn:uuid:9", "resource": appointment()}


@pytest.mark.parametrize(
    ("following", "second", "state", "asked"),
    [
        # However it is addressed, it is asked for where the first page was.
        ("Appointment?page=2", bundle(entry=[HELD]), LatestState.CURRENT, 2),
        ("https://evil.example/FHIR/R4/Appointment?page=2", bundle(entry=[HELD]), LatestState.CURRENT, 2),
        ("//evil.example/Appointment/?page=2", bundle(entry=[HELD]), LatestState.CURRENT, 2),
        ("Appointment?page=2", bundle(), LatestState.MISSING, 2),
        # What cannot be followed is not the end of what the service has.
        ("Appointment?page=2", bundle(following="Appointment?page=2"), LatestState.UNREACHABLE, 2),
        ("https://r.example/FHIR/R4?_getpages=2", bundle(), LatestState.UNREACHABLE, 1),
        ("../Patient?page=2", bundle(), LatestState.UNREACHABLE, 1),
        ("file:///etc/passwd", bundle(), LatestState.UNREACHABLE, 1),
    ],
)
def test_the_pages_of_a_search_are_followed_and_never_to_another_address(
    desk: Desk, following: str, second: dict[str, Any], state: LatestState, asked: int
) -> None:
    booking = desk.book()
    booking.remote_id = ""
    before = len(desk.network.requests)
    desk.network.before += [answering(bundle(following=following)), answering(second)]
    assert latest(desk, booking).state is state
    requests = desk.network.requests[before:]
    assert [str(each.url.copy_with(query=None)) for each in requests] == [f"{BASE}/Appointment"] * asked
    assert requests[-1].url.query == (b"page=2" if asked == 2 else requests[0].url.query)


def test_pages_without_end_are_not_followed_for_ever(desk: Desk) -> None:
    booking = desk.book()
    booking.remote_id = ""
    before = len(desk.network.requests)
    desk.network.before += [
        answering(bundle(following=f"Appointment?page={number}")) for number in range(MOST_PAGES)
    ]
    assert latest(desk, booking).state is LatestState.UNREACHABLE
    assert len(desk.network.requests) - before == MOST_PAGES


def test_what_is_over_may_stand_again_among_what_did_not_come(desk: Desk) -> None:
    booking = desk.book()
    booking.remote_id = ""
    over = {**HELD, "resource": appointment(status="cancelled")}
    desk.network.before += [answering(bundle(following="Appointment?page=2", entry=[over])), timeout]
    assert latest(desk, booking).state is LatestState.UNREACHABLE


def test_message_definitions_come_in_pages_too(desk: Desk) -> None:
    """Of some of them nobody can say what the service does not take."""
    sender, service = sender_identity(desk.acting), desk.service
    whole = search(
        desk.network.client,
        sender=sender,
        service_id=service.service_id,
        correlation_id=uuid4(),
        resource_type="MessageDefinition",
        params=[("context", f"{SERVICE_ID_SYSTEM}|{service.service_id}")],
    ).bundle
    half = len(whole["entry"]) // 2
    pages = [
        {**bundle(following="MessageDefinition?page=2"), "entry": whole["entry"][:half]},
        {**bundle(), "entry": whole["entry"][half:]},
    ]

    def read(*answers: Fault) -> ServiceCapability:
        clear_capability(service=service)
        desk.network.before += answers
        return read_capability(desk.network.client, service=service, sender=sender, now=NOW)

    told = read(answering(whole))
    assert told.booking_use_cases
    assert read(*map(answering, pages)).booking_use_cases == told.booking_use_cases
    assert read(answering(pages[0]), timeout).booking_use_cases is None


def test_a_patient_whom_nobody_could_search_for(desk: Desk) -> None:
    booking = desk.request(details=make_details(nhs_number="", postcode=""))
    assert latest(desk, booking).state is LatestState.MISSING


def test_nothing_is_cancelled_unread(desk: Desk) -> None:
    booking = desk.book()
    desk.network.before.append(timeout)
    with pytest.raises(PolicyRefused, match="nothing was changed"):
        request_cancel(
            booking=booking, latest=latest(desk, booking), reason="pat", acting=desk.acting, now=NOW
        )
    booking.refresh_from_db()
    assert booking.status == BookingStatus.BOOKED


def test_what_the_service_cancelled_itself_is_recorded_without_a_message(desk: Desk) -> None:
    booking = desk.book()
    desk.network.before.append(answering(appointment(status="cancelled")))
    found = latest(desk, booking)
    request_cancel(booking=booking, latest=found, reason="pat", acting=desk.acting, now=NOW)
    assert booking.status == BookingStatus.CANCELLED
    assert desk.network.deliver_all() == []
