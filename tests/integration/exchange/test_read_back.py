"""What was sent may have been applied: what is read back, and which successes say too little."""

import json
from datetime import timedelta
from typing import Any

import pytest

from bars_portal.audit.models import AuditEvent
from bars_portal.exchange import delivery, outbox
from bars_portal.exchange.models import DeliveryState
from bars_portal.exchange.registry import ReadBack
from bars_portal.exchange.transport.judgement import Delivery
from tests.integration.exchange.partner import FOCUS, MESSAGE, Desk, echoing, refusing
from tests.unit.exchange_transport.servers import raw

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_duplicate_on_a_retry_is_delivered_and_read(desk: Desk) -> None:
    desk.probe.read = ReadBack(was_applied=True, found={"resourceType": "Appointment", "id": "found"})
    message = desk.enqueue()
    desk.server.script(raw(b""), refusing(409, "REC_CONFLICT", "duplicate"))
    desk.deliver(message)
    delivery.queue_again(message)
    assert desk.deliver(message) == DeliveryState.ACCEPTED
    assert [each.delivery for each in desk.probe.outcomes] == [Delivery.UNKNOWN, Delivery.DUPLICATE]
    assert desk.probe.outcomes[1].found == {"resourceType": "Appointment", "id": "found"}
    assert [each.outcome for each in message.attempts.all()] == ["unknown", "duplicate"]


CONFLICT = ("REC_CONFLICT", "conflict")
FOUND = {"resourceType": "Appointment", "id": "found"}
APPLIED, NOT_APPLIED = ReadBack(was_applied=True, found=FOUND), ReadBack(was_applied=False)
# What a first attempt and a repeat after a lost one are answered, what a read then shows, what it comes to.
READS: list[tuple[bool, int, tuple[str, str], ReadBack | None, str]] = [
    (False, 500, ("REC_SERVER_ERROR", "exception"), APPLIED, "accepted found server-error/applied"),
    (False, 500, ("REC_SERVER_ERROR", "exception"), NOT_APPLIED, "refused refused server-error/not-applied"),
    (False, 500, ("REC_SERVER_ERROR", "exception"), ReadBack(), "unknown unknown server-error/not-read"),
    (False, 500, ("REC_SERVER_ERROR", "exception"), None, "unknown unknown server-error/not-read"),
    (False, 500, ("REC_BAD_REQUEST", "invariant"), APPLIED, "accepted found bad-request/applied"),
    (True, 409, CONFLICT, APPLIED, "accepted found conflict/applied"),
    (True, 409, CONFLICT, NOT_APPLIED, "refused refused conflict/not-applied"),
    (True, 409, CONFLICT, ReadBack(), "unknown unknown conflict/not-read"),
    (True, 409, CONFLICT, None, "unknown unknown conflict/not-read"),
    (True, 404, ("REC_NOT_FOUND", "not-found"), APPLIED, "accepted found not-found/applied"),
    (
        True,
        422,
        ("REC_UNPROCESSABLE_ENTITY", "processing"),
        None,
        "unknown unknown unprocessable-entity/not-read",
    ),
    (True, 409, ("REC_CONFLICT", "duplicate"), APPLIED, "accepted duplicate duplicate/applied"),
    (True, 409, ("REC_CONFLICT", "duplicate"), NOT_APPLIED, "unknown unknown duplicate/not-applied"),
    (True, 409, ("REC_CONFLICT", "duplicate"), ReadBack(), "unknown unknown duplicate/not-read"),
    (True, 409, ("REC_CONFLICT", "duplicate"), ReadBack(found=FOUND), "accepted duplicate duplicate"),
    (True, 409, ("REC_CONFLICT", "duplicate"), None, "accepted duplicate duplicate"),
]


@pytest.mark.parametrize(("repeated", "status", "fault", "read", "expected"), READS)
def test_what_may_have_been_applied_is_read_back(
    desk: Desk, repeated: bool, status: int, fault: tuple[str, str], read: ReadBack | None, expected: str
) -> None:
    """Standard section 12, "Outcomes": neither a 500 nor the refusal of a repeat is final by itself."""
    message = desk.enqueue()
    if repeated:
        desk.server.script(raw(b""))
        desk.deliver(message)
        delivery.queue_again(message)
    desk.probe.read = read
    desk.server.script(refusing(status, *fault))
    state, outcome = desk.deliver(message), desk.probe.outcomes[-1]
    assert f"{state} {outcome.delivery} {outcome.reason}" == expected
    assert (message.state, message.reason, desk.probe.reads) == (state, outcome.reason, 1)
    assert outcome.found == (FOUND if state == DeliveryState.ACCEPTED and read else None)
    last = message.attempts.get(number=1 + repeated)
    assert (last.outcome, last.reason, last.status_code) == (outcome.delivery, outcome.reason, status)
    assert (message.next_attempt_at is not None) == (state == DeliveryState.UNKNOWN)
    event = AuditEvent.objects.filter(action="exchange.deliver_message").latest("id")
    assert (event.outcome, event.detail["reason"]) == (state, outcome.reason)


def test_a_refusal_is_final_when_nothing_was_ever_sent_before_it(desk: Desk) -> None:
    listening, desk.base_url = desk.base_url, "http://127.0.0.1:9/FHIR/R4"
    message = desk.enqueue()
    desk.deliver(message)
    desk.base_url = listening
    delivery.queue_again(message)
    desk.server.script(refusing(409, *CONFLICT))
    assert desk.deliver(message) == DeliveryState.REFUSED
    assert (message.reason, desk.probe.reads) == ("conflict", 0)


def test_what_was_not_read_goes_out_again_until_a_person_is_told(desk: Desk, settings: Any) -> None:
    settings.BARS_RETRY_SECONDS = (1,)
    message = desk.enqueue()
    desk.server.script(refusing(500, "REC_SERVER_ERROR"), refusing(500, "REC_SERVER_ERROR"))
    assert desk.deliver(message) == DeliveryState.UNKNOWN
    desk.now += timedelta(hours=1)
    assert desk.deliver(message) == DeliveryState.ABANDONED
    assert message.is_unclear
    assert [each.next_attempt_at is None for each in desk.probe.outcomes] == [False, True]


@pytest.mark.parametrize(("last", "reason"), [(True, "server-error/not-read"), (False, "cut")])
def test_only_what_was_refused_to_the_end_is_set_aside_for_a_new_message(
    desk: Desk, settings: Any, last: bool, reason: str
) -> None:
    """What was lost to the end may still be taken by one more repeat of the same bytes."""
    settings.BARS_RETRY_SECONDS = ()
    message = desk.enqueue()
    desk.server.script(refusing(500, "REC_SERVER_ERROR") if last else raw(b""))
    assert desk.deliver(message) == DeliveryState.ABANDONED
    assert message.reason == reason
    assert outbox.given_up_refused(desk.subject) == (message if last else None)
    assert delivery.set_aside(message, now=desk.now) is True
    assert delivery.set_aside(message, now=desk.now) is False, "once"
    assert delivery.queue_again(message) is False, "these bytes never go out again"


def changed(**changes: Any) -> bytes:
    return json.dumps({**MESSAGE, **changes}).encode()


def focused(**changes: Any) -> bytes:
    entry = {"fullUrl": "urn:uuid:a", "resource": {**FOCUS, **changes}}
    return changed(entry=[MESSAGE["entry"][0], entry])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (changed(id="y"), "other-bundle"),
        (changed(entry=[]), "no-focus"),
        (changed(entry=MESSAGE["entry"][:1]), "no-focus"),
        (focused(resourceType="ServiceRequest"), "no-focus"),
        (focused(status="booked"), "other-status"),
        (focused(status=None), "other-status"),
        (focused(id=""), "no-id"),
        (focused(id="../Slot"), "no-id"),
        (focused(id="b"), "other-id"),
    ],
)
def test_a_success_that_does_not_say_what_is_promised_is_unknown(
    desk: Desk, body: bytes, reason: str
) -> None:
    message = desk.enqueue()
    desk.server.script(echoing(200, body))
    assert desk.deliver(message) == DeliveryState.UNKNOWN
    assert message.reason == desk.probe.outcomes[0].reason == reason
    assert (desk.probe.reads, message.next_attempt_at is None) == (0, False)
