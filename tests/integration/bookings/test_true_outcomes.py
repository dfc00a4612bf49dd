"""What the service holds counts: read back after a doubtful refusal, and compared with what was asked."""

from datetime import timedelta
from typing import Any

import pytest

from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.correspondence import searches
from bars_portal.correspondence.explanations import READ_BACK
from bars_portal.exchange.delivery import deliver as deliver_one
from bars_portal.exchange.models import DeliveryState, OutboundMessage
from bookings import policies
from bookings.models import Booking
from bookings.presenters.bookings import RebookingState, booking_page, rebooking_state
from bookings.selectors.sent import Waiting, attention_counts
from bookings.services.cancelling import start_rebooking
from bookings.services.history import mark_patient_told
from bookings.services.settling import accept_differences, settle_differences
from bookings.states import BookingStatus
from tests.factories.bookings import NOW
from tests.integration.bookings.conftest import Desk
from tests.integration.bookings.loopback import Fault, answering, refusing, timeout
from tests.integration.bookings.test_whole_way import cancel, echoing_with, latest, received

LATER = timedelta(hours=2)
FAILED = refusing(500, "REC_SERVER_ERROR", "exception")
CONFLICT = refusing(409, "REC_CONFLICT", "conflict")
UNKNOWN_THERE = refusing(404, "REC_NOT_FOUND", "not-found")


def deliver(desk: Desk, booking: Booking) -> Booking:
    desk.network.deliver_all()
    booking.refresh_from_db()
    return booking


def repeated(desk: Desk, booking: Booking, fault: Fault) -> Booking:
    """Applied, its answer lost; the repeat is answered with a fault."""
    desk.network.after.append(timeout)
    deliver(desk, booking)
    assert booking.status in (BookingStatus.UNKNOWN, BookingStatus.CANCEL_UNKNOWN)
    desk.network.before.append(fault)
    desk.network.deliver_due(after=LATER)
    booking.refresh_from_db()
    return booking


def last_note(booking: Booking) -> str:
    return str(booking.changes.order_by("id").last().note)  # type: ignore[union-attr]  # it has a history


@pytest.mark.parametrize("fault", [FAILED, CONFLICT, UNKNOWN_THERE], ids=["500", "409", "404"])
def test_a_booking_that_arrived_stands_whatever_the_repeat_was_told(desk: Desk, fault: Fault) -> None:
    booking = repeated(desk, desk.request(), fault)
    assert (booking.status, booking.reference) == (BookingStatus.BOOKED, received().reference)
    assert (booking.explanation, last_note(booking)) == ("", READ_BACK)
    assert OutboundMessage.objects.get().state == DeliveryState.ACCEPTED


def test_a_500_after_which_it_stands_is_a_booking(desk: Desk) -> None:
    booking = desk.request()
    desk.network.after.append(FAILED)
    deliver(desk, booking)
    assert (booking.status, booking.remote_id) == (BookingStatus.BOOKED, str(received().pk))


def test_a_booking_on_a_later_page_of_what_the_service_holds_stands(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The patient has more appointments there than one page tells of."""
    monkeypatch.setattr(searches, "MOST_FOUND", 1)
    booking = desk.request()
    desk.network.after.append(timeout)
    deliver(desk, booking)
    for _ in range(2):
        deliver(desk, desk.request())
    desk.network.before.append(CONFLICT)
    desk.network.deliver_due(after=LATER)
    booking.refresh_from_db()
    assert (booking.status, last_note(booking)) == (BookingStatus.BOOKED, READ_BACK)
    reads = [each for each in desk.network.requests if each.url.path.endswith("/Appointment")]
    assert len(reads) == 3
    assert {each.url.host for each in reads} == {"proxy.example.nhs.uk"}
    assert len({each.headers["X-Request-ID"] for each in reads}) == 3
    assert len({each.headers["X-Correlation-ID"] for each in reads}) == 1


@pytest.mark.parametrize("fault", [timeout, FAILED, UNKNOWN_THERE], ids=["timeout", "500", "404"])
def test_of_an_answer_whose_rest_did_not_come_nobody_says_that_it_booked_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.setattr(searches, "MOST_FOUND", 1)
    booking = desk.request()
    desk.network.before.append(timeout)
    deliver(desk, booking)
    for _ in range(2):
        deliver(desk, desk.request(draft=desk.draft(position=1)))
    desk.network.before += [CONFLICT, desk.network._receiver, fault]
    desk.network.deliver_due(after=LATER)
    booking.refresh_from_db()
    assert booking.status == BookingStatus.UNKNOWN


@pytest.mark.parametrize("fault", [FAILED, CONFLICT], ids=["500", "409"])
def test_what_was_surely_not_booked_is_refused(desk: Desk, fault: Fault) -> None:
    booking = desk.request()
    desk.network.before += [timeout, fault]
    deliver(desk, booking)
    desk.network.deliver_due(after=LATER)
    booking.refresh_from_db()
    assert booking.status == BookingStatus.REFUSED
    assert desk.network.requests[-1].method == "GET"
    assert "not-applied" in OutboundMessage.objects.get().reason


@pytest.mark.parametrize(
    "read", [timeout, FAILED, UNKNOWN_THERE, refusing(404, "PROXY_NOT_FOUND", "not-found")]
)
def test_while_it_cannot_be_read_it_is_not_known(desk: Desk, read: Fault) -> None:
    booking = desk.request()
    desk.network.before += [FAILED, read]
    assert deliver(desk, booking).status == BookingStatus.UNKNOWN
    assert "still trying by ourselves; do not book another" in booking.explanation
    assert OutboundMessage.objects.get().reason == "server-error/not-read"
    assert desk.network.deliver_due(after=LATER) == [DeliveryState.ACCEPTED]
    booking.refresh_from_db()
    assert booking.status == BookingStatus.BOOKED


def test_an_earlier_booking_of_the_same_time_proves_nothing(desk: Desk) -> None:
    """Booked, cancelled, asked for again, refused: the cancelled one is not the new one."""
    deliver(desk, cancel(desk, desk.book()))
    again = desk.request()
    desk.network.before.append(FAILED)
    deliver(desk, again)
    assert (again.status, again.remote_id) == (BookingStatus.REFUSED, "")


@pytest.mark.parametrize("fault", [FAILED, CONFLICT, UNKNOWN_THERE], ids=["500", "409", "404"])
def test_a_cancellation_that_arrived_counts_whatever_the_repeat_was_told(desk: Desk, fault: Fault) -> None:
    booking = repeated(desk, cancel(desk, desk.book()), fault)
    assert booking.status == received().status == BookingStatus.CANCELLED
    assert last_note(booking) == READ_BACK


def test_a_500_after_which_it_is_cancelled_goes_on_with_the_rebooking(desk: Desk, booking: Booking) -> None:
    draft = desk.draft(position=1, replaces=booking)
    plan = start_rebooking(
        booking=booking, latest=latest(desk, booking), draft=draft, reason="pat", acting=desk.acting, now=NOW
    )
    desk.network.after.append(FAILED)
    deliver(desk, booking)
    plan.refresh_from_db()
    assert rebooking_state(plan).state is RebookingState.DONE


def test_a_500_after_which_it_stands_leaves_the_booking(desk: Desk) -> None:
    booking = cancel(desk, desk.book())
    desk.network.before.append(FAILED)
    assert deliver(desk, booking).status == BookingStatus.BOOKED
    assert "technical fault" in booking.explanation


@pytest.mark.parametrize("read", [timeout, UNKNOWN_THERE], ids=["timeout", "404"])
def test_a_cancellation_that_cannot_be_read_back_is_not_known(desk: Desk, read: Fault) -> None:
    """Who shows no such appointment may have cancelled it, or not."""
    booking = cancel(desk, desk.book())
    desk.network.before += [FAILED, read]
    assert deliver(desk, booking).status == BookingStatus.CANCEL_UNKNOWN


# -- what the service says is not what we asked for


OTHER_TIME = {"start": "2026-11-22T11:00:00.000+00:00", "end": "2026-11-22T11:15:00.000+00:00"}


def somebody_else(**changes: Any) -> Fault:
    """The same booking, for another person."""

    def answer(request: Any) -> Any:
        response = echoing_with(**changes)(request)
        body = response.content.replace(b"9449306621", b"9449306613").replace(b"QUILL", b"OTHER")
        return type(response)(200, headers=response.headers, content=body)

    return answer


def not_as_asked(desk: Desk, fault: Fault | None = None) -> Booking:
    booking = desk.request()
    desk.network.before.append(fault or echoing_with(**OTHER_TIME))
    deliver(desk, booking)
    assert booking.status == BookingStatus.NOT_AS_ASKED
    return booking


def test_another_time_is_never_booked(desk: Desk) -> None:
    booking = not_as_asked(desk)
    (found,) = booking.differences or []
    assert found["what"] == "Date and time"
    assert found["asked"] != found["said"]
    assert "11:00 to 11:15" in found["said"]
    page, counts = booking_page(booking, acting=desk.acting, now=NOW), attention_counts(desk.acting)
    assert (page.heading, page.must_tell, page.is_booked) == ("Not booked as we asked", False, False)
    assert counts == {**dict.fromkeys(Waiting, 0), Waiting.NOT_AS_ASKED: 1}
    with pytest.raises(PolicyRefused):
        mark_patient_told(booking=booking, acting=desk.acting, now=NOW)
    assert [each.event for each in booking.changes.all()] == ["request", "confirm-other"]


def test_another_person_is_neither_taken_nor_cancelled(desk: Desk) -> None:
    booking = not_as_asked(desk, somebody_else())
    assert [each["what"] for each in booking.differences or []] == ["Patient"]
    for allowed in (
        policies.can_accept(desk.acting, booking),
        policies.can_cancel(desk.acting, booking, NOW),
    ):
        assert not allowed
    desk.network.before.append(answering({**booking.resource}))
    with pytest.raises(PolicyRefused, match="Call the service"):
        settle_differences(booking=booking, latest=latest(desk, booking), acting=desk.acting, now=NOW)


def test_a_repeat_that_shows_another_time_says_so(desk: Desk) -> None:
    """Also when a read shows it: the slot is ours, its time is not."""
    booking = desk.request()
    desk.network.after.append(timeout)
    deliver(desk, booking)
    theirs = received()
    moved = {**theirs.resource, **OTHER_TIME}
    Booking.objects.filter(pk=theirs.pk).update(resource=moved)
    desk.network.deliver_due(after=LATER)
    booking.refresh_from_db()
    assert booking.status == BookingStatus.NOT_AS_ASKED


def asked_again(desk: Desk, booking: Booking, **says: str) -> Booking:
    desk.network.before.append(answering({**booking.resource, **says}))
    found = latest(desk, booking)
    return settle_differences(booking=booking, latest=found, acting=desk.acting, now=NOW)


def test_asking_again_settles_it_when_the_service_has_put_it_right(desk: Desk) -> None:
    booking = not_as_asked(desk)
    asked = {"start": booking.start.isoformat(), "end": booking.end.isoformat()}
    assert asked_again(desk, booking).status == BookingStatus.NOT_AS_ASKED
    assert asked_again(desk, booking, **asked).status == BookingStatus.BOOKED
    assert booking.differences is None
    assert booking_page(booking, acting=desk.acting, now=NOW).must_tell


def test_asking_again_finds_it_cancelled(desk: Desk) -> None:
    booking = not_as_asked(desk)
    assert asked_again(desk, booking, status="cancelled").status == BookingStatus.CANCELLED


def test_a_person_may_take_the_time_that_the_service_holds(desk: Desk) -> None:
    booking = not_as_asked(desk)
    accept_differences(booking=booking, acting=desk.acting, now=NOW)
    booking.refresh_from_db()
    assert (booking.status, booking.differences) == (BookingStatus.BOOKED, None)
    assert booking.start.isoformat() == "2026-11-22T11:00:00+00:00"
    assert booking_page(booking, acting=desk.acting, now=NOW).must_tell


def test_it_may_be_cancelled_and_a_refused_cancellation_leaves_it_so(desk: Desk) -> None:
    booking = not_as_asked(desk)
    for fault, status in ((CONFLICT, BookingStatus.NOT_AS_ASKED), (None, BookingStatus.CANCELLED)):
        desk.network.before.append(answering(booking.resource))
        cancel(desk, booking)
        ended = echoing_with(id=booking.remote_id)
        desk.network.before.append(fault or ended)
        assert deliver(desk, booking).status == status
    assert booking.differences is None


def test_a_cancellation_answered_about_somebody_else_is_not_known(desk: Desk) -> None:
    booking = cancel(desk, desk.book())
    desk.network.before.append(somebody_else(id=booking.remote_id))
    assert deliver(desk, booking).status == BookingStatus.CANCEL_UNKNOWN
    assert "We asked for" in booking.explanation
    assert "the service says" in booking.explanation


def test_the_second_half_of_a_rebooking_is_an_alarm(desk: Desk, booking: Booking) -> None:
    draft = desk.draft(position=1, replaces=booking)
    plan = start_rebooking(
        booking=booking, latest=latest(desk, booking), draft=draft, reason="pat", acting=desk.acting, now=NOW
    )
    queued = OutboundMessage.objects.get(state=DeliveryState.QUEUED)
    deliver_one(queued.pk, client=desk.network.client, clock=lambda: NOW)
    desk.network.before.append(echoing_with(**OTHER_TIME))
    deliver(desk, booking)
    plan.refresh_from_db()
    progress = rebooking_state(plan)
    assert (progress.state, progress.is_alarm) == (RebookingState.NOT_AS_ASKED, True)
