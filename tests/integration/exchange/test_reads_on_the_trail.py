"""Reads of the receiver, answered or refused, and who asked: all are on the trail."""

from uuid import UUID

import pytest

from bars_portal.accounts.models import Organisation
from bars_portal.audit.models import AuditEvent
from bars_portal.audit.selectors import seen_by, seen_by_installation, views_of
from bars_portal.correspondence.states import Direction
from bars_portal.patients.looks.question import Question
from bookings.models import Booking, Slot
from tests.factories.bookings import make_booking
from tests.integration.exchange.calling import (
    WRONG_NAME,
    Receiver,
    fresh,
    outcome,
    target,
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


BY_NUMBER = "/Appointment?patient:identifier=https://fhir.nhs.uk/Id/nhs-number%7C9449306621"


def held_by_two() -> tuple[Booking, Booking]:
    """Received bookings of one patient, at services of two organisations."""
    ours, theirs = (
        make_booking(direction=Direction.RECEIVED, resource={"resourceType": "Appointment"}) for _ in range(2)
    )
    return ours, theirs


def told(organisation: Organisation) -> set[tuple[str, str, str]]:
    rows = AuditEvent.objects.filter(seen_by(organisation.pk), action__startswith="exchange.")
    return set(rows.values_list("action", "outcome", "subject_id"))


def test_each_organisation_is_told_which_of_its_records_a_partner_opened(
    receiver: Receiver, slot: Slot
) -> None:
    """Searched without a target, and by id; who looked at the patient says so too."""
    ours, theirs = held_by_two()
    assert receiver.get(BY_NUMBER, NHSD_Target_Identifier=None).status_code == 200
    assert receiver.get(f"/Appointment/{ours.pk}", NHSD_Target_Identifier=None).status_code == 200
    for booking, times in ((ours, 2), (theirs, 1)):
        organisation = booking.organisation
        assert told(organisation) == {("exchange.read", "done", str(booking.pk))}
        looks = Question(organisation, patient=booking.patient).events()
        assert [each.subject_id for each in looks] == [str(booking.pk)] * times
        assert len(views_of(organisation.pk, [("bookings.booking", str(booking.pk))])) == times
    assert not AuditEvent.objects.filter(seen_by_installation()).exists()


def test_what_is_refused_is_told_to_whose_record_it_was(receiver: Receiver, slot: Slot) -> None:
    ours, theirs = held_by_two()
    type(ours.service).objects.filter(pk=ours.service_id).update(allowed_callers=["RX999"])
    assert receiver.get(f"/Appointment/{ours.pk}", NHSD_Target_Identifier=None).status_code == 401
    assert told(ours.organisation) == {("exchange.read", "refused", str(ours.pk))}
    assert not told(theirs.organisation)


@pytest.mark.parametrize(
    ("path", "changes", "status", "is_theirs"),
    [
        (BY_NUMBER, {}, 200, True),
        ("/metadata", {}, 200, True),
        ("/Patient", {}, 404, True),
        ("/metadata", {"NHSD_Target_Identifier": target("2000012345")}, 200, False),
        ("/metadata", {"NHSD_Target_Identifier": None}, 200, False),
        ("/metadata", {"X_Request_ID": "none"}, 400, False),
        ("/metadata", {"peer": WRONG_NAME}, 403, False),
    ],
    ids=["nothing-found", "metadata", "no-such-path", "not-ours", "no-target", "no-ids", "stranger"],
)
def test_without_a_record_it_is_told_by_the_service_that_was_named(
    receiver: Receiver, slot: Slot, path: str, changes: dict[str, str | None], status: int, is_theirs: bool
) -> None:
    """Before that is known, it is the installation's."""
    assert receiver.get(path, **changes).status_code == status
    events = AuditEvent.objects.filter(action__startswith="exchange.")
    assert events.filter(seen_by(slot.service.provider_id)).exists() is is_theirs
    assert events.filter(seen_by_installation()).exists() is not is_theirs
