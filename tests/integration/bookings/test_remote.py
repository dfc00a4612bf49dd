"""Reading an appointment back before it is changed."""

from typing import Any

import pytest

from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.correspondence.latest import Latest, LatestState
from bars_portal.correspondence.states import Direction
from bookings.latest import read_latest
from bookings.models import Booking
from bookings.services.cancelling import request_cancel
from bookings.states import BookingStatus
from directory.remote import sender_identity
from tests.factories.bookings import NOW
from tests.factories.patients import make_details
from tests.integration.bookings.conftest import Desk
from tests.integration.bookings.loopback import answering, refusing, timeout


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
