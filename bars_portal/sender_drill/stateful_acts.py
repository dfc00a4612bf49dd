"""Acts against the receiver that remembers: one patient, one booking and one referral at a time.

Each leaves the patient without booking and referral, so that the next begins where the table does.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.sender_drill import stating
from bars_portal.sender_drill.booking_acts import booked, cancelled
from bars_portal.sender_drill.desk import MODEL_SERVICE, Desk, service, settle
from bars_portal.sender_drill.request_acts import taken_back
from bars_portal.sender_drill.rows import Row
from bars_portal.sender_drill.told import Told
from bookings.models import Booking
from referrals import services
from referrals.models import Case


def book_once(desk: Desk, row: Row) -> Told:
    with _booking(desk, row) as booking:
        return Told(booking.status, booking.explanation)


def book_twice(desk: Desk, row: Row) -> Told:
    with _booking(desk, row):
        second = booked(desk, row)
        return Told(second.status, second.explanation)


def cancel_it(desk: Desk, row: Row) -> Told:
    with _booking(desk, row) as booking:
        return cancelled(desk, booking)


def refer_linked(desk: Desk, row: Row) -> Told:
    with _booking(desk, row) as booking:
        return _of(_refer(desk, row, booking))


def refer_twice(desk: Desk, row: Row) -> Told:
    with _booking(desk, row) as booking:
        _refer(desk, row, booking)
        return _of(_refer(desk, row, booking))


def refer_mislinked(desk: Desk, row: Row) -> Told:
    """There is a booking, and the referral does not name it."""
    with _booking(desk, row):
        return _of(_refer(desk, row, None))


def refer_without_booking(desk: Desk, row: Row) -> Told:
    return _of(_refer(desk, row, None))


def take_referral_back(desk: Desk, row: Row) -> Told:
    with _booking(desk, row) as booking:
        return taken_back(desk, _refer(desk, row, booking))


def book_after_referral(desk: Desk, row: Row) -> Told:
    with _booking(desk, row) as booking:
        _refer(desk, row, booking)
        second = booked(desk, row)
        return Told(second.status, second.explanation)


def cancel_after_referral(desk: Desk, row: Row) -> Told:
    with _booking(desk, row) as booking:
        _refer(desk, row, booking)
        return cancelled(desk, booking)


@contextmanager
def _booking(desk: Desk, row: Row) -> Iterator[Booking]:
    booking = booked(desk, row)
    try:
        yield booking
    finally:
        booking.refresh_from_db()
        cancelled(desk, booking)


def _refer(desk: Desk, row: Row, booking: Booking | None) -> Case:
    now = desk.clock()
    case = services.request_referral(
        content=stating.content(UseCase.A1T1, now=now),
        details=stating.patient(row.nhs_number),
        service=service(row.service or MODEL_SERVICE),
        acting=desk.sending,
        now=now,
        booking=booking,
    )
    settle(case, desk)
    return case


def _of(case: Case) -> Told:
    return Told(case.status, case.explanation)
