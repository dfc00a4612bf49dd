"""Reads of the receiver, answered or refused, and who asked: all are on the trail."""

from uuid import UUID

import pytest

from bars_portal.audit.models import AuditEvent
from bookings.models import Booking, Slot
from tests.integration.exchange.calling import (
    Receiver,
    fresh,
    outcome,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/Appointment", (400, "REC_BAD_REQUEST", "required")),
        ("/Appointment/", (400, "REC_BAD_REQUEST", "required")),
        ("/Appointment/SECRET", (400, "REC_BAD_REQUEST", "value")),
        ("/Appointment/11111111-1111-4111-8111-111111111111", (404, "REC_NOT_FOUND", "not-found")),
        ("/Slot", (400, "REC_BAD_REQUEST", "required")),
        ("/MessageDefinition", (400, "REC_BAD_REQUEST", "required")),
        ("/MessageDefinition?context=SECRET", (400, "REC_BAD_REQUEST", "value")),
        (
            "/MessageDefinition?context=https://fhir.nhs.uk/Id/dos-service-id|999",
            (404, "REC_NOT_FOUND", "not-found"),
        ),
        ("/$process-message", (405, "REC_METHOD_NOT_ALLOWED", "not-supported")),
        ("/Patient", (404, "REC_NOT_FOUND", "not-found")),
    ],
)
def test_reads_that_are_refused_are_on_the_trail(
    receiver: Receiver, slot: Slot, path: str, expected: tuple[int, str, str]
) -> None:
    response = receiver.get(path)
    assert outcome(response) == expected
    assert b"SECRET" not in response.content
    event = AuditEvent.objects.get()
    assert (event.outcome, event.detail["code"]) == ("refused", " ".join(map(str, expected)))
    assert event.correlation_id == UUID(receiver.sent["X-Correlation-ID"])
    assert "SECRET" not in str(event.detail)


def test_reads_that_are_answered_are_on_the_trail_too(receiver: Receiver, slot: Slot) -> None:
    receiver.send(fresh())
    booking = Booking.objects.get()
    paths = ("/metadata", "/MessageDefinition?context=https://fhir.nhs.uk/Id/dos-service-id|2000099001")
    for path in (*paths, f"/Appointment/{booking.pk}"):
        response = receiver.get(path)
        assert (response.status_code, response.headers["X-Request-ID"]) == (
            200,
            receiver.sent["X-Request-ID"],
        )
    actions = AuditEvent.objects.filter(outcome="done").values_list("action", flat=True)
    assert {"exchange.read_metadata", "exchange.read_definitions", "exchange.read"} <= set(actions)


@pytest.mark.parametrize("path", ["/metadata", "/MessageDefinition?context=x|1"])
def test_public_reads_do_without_the_access_headers(receiver: Receiver, slot: Slot, path: str) -> None:
    response = receiver.get(path, NHSD_Target_Identifier=None, NHSD_End_User_Organisation=None)
    assert response.status_code in (200, 400)
    assert response.headers["X-Correlation-ID"] == receiver.sent["X-Correlation-ID"]
