"""What the receiver keeps of a message: the bytes and headers as they came, and the answer as it went."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from bars_portal.audit.models import AuditEvent
from bars_portal.exchange.models import InboundMessage, InboundState
from bookings.models import Booking, Slot
from tests.integration.exchange.calling import SENDER_ODS, WRONG_NAME, Receiver, cancelling, fresh, target

pytestmark = pytest.mark.django_db


def stored(receiver: Receiver) -> InboundMessage:
    return InboundMessage.objects.get(request_id=receiver.sent["X-Request-ID"])


@pytest.mark.parametrize("indent", [None, 4])
def test_an_accepted_message_is_kept_byte_for_byte(
    receiver: Receiver, slot: Slot, indent: int | None
) -> None:
    body = json.dumps(fresh(), indent=indent).encode() + b"\r\n"
    response = receiver.post(body)
    kept = stored(receiver)
    assert (kept.state, kept.status_code) == (InboundState.ACCEPTED, 200)
    assert bytes(kept.body) == body
    assert bytes(kept.reply or b"") == response.content
    assert (kept.message_type, kept.service_id) == ("booking-new", "2000099001")
    assert (kept.source_service_id, kept.sender_ods_code) == ("2000088001", SENDER_ODS)
    assert kept.peer == "int.api.service.nhs.uk"
    assert kept.completed_at is not None
    assert kept.correlation_id == UUID(receiver.sent["X-Correlation-ID"])
    assert str(kept.bundle_id) == json.loads(body)["id"] == json.loads(response.content)["id"]


def test_every_header_is_kept_but_no_credentials(receiver: Receiver, slot: Slot) -> None:
    receiver.send(fresh(), Cookie="session=a-secret-token", use_context="a1t1|x|booking-request|new")
    kept = {name.lower(): value for name, value in stored(receiver).headers.items()}
    assert "a-secret-token" not in json.dumps(kept)
    assert not {"authorization", "cookie"} & set(kept)
    sent = {name.lower(): value for name, value in receiver.sent.items()}
    for name in ("x-request-id", "nhsd-target-identifier", "nhsd-end-user-organisation", "use-context"):
        assert kept[name] == sent[name]


@pytest.mark.parametrize("body", [b"{", b"\x00\xff", b"not json", b'{"resourceType": "Bundle"}'])
def test_a_refused_message_is_kept_too(receiver: Receiver, slot: Slot, body: bytes) -> None:
    response = receiver.post(body)
    kept = stored(receiver)
    assert (kept.state, kept.status_code) == (InboundState.REFUSED, 400)
    assert (bytes(kept.body), bytes(kept.reply or b"")) == (body, response.content)
    assert kept.service_id == "2000099001"


def without_event() -> dict[str, Any]:
    message = fresh()
    del message["entry"][0]["resource"]["eventCoding"]
    return message


def with_unknown_element() -> dict[str, Any]:
    return {**fresh(), "colour": "red"}


@pytest.mark.parametrize(
    ("spoilt", "kind"),
    [(without_event, ""), (with_unknown_element, "booking-new")],
    ids=["against a rule", "against the structure"],
)
def test_a_refused_message_can_be_found_by_its_bundle_id(
    receiver: Receiver, slot: Slot, spoilt: Callable[[], dict[str, Any]], kind: str
) -> None:
    message = spoilt()
    assert receiver.send(message).status_code == 400
    kept = stored(receiver)
    assert (kept.bundle_id, kept.source_service_id) == (message["id"], "2000088001")
    assert kept.focus_id is not None and kept.message_type in ("", kind)
    # Only what was accepted uses up its Bundle.id.
    assert not kept.starts_conversation


@pytest.mark.parametrize("odd", ["a\u0000b", "\ud800", "x" * 65, "two words", 7, None, {}, ""])
def test_an_odd_bundle_id_of_a_refused_message_is_no_key(receiver: Receiver, slot: Slot, odd: object) -> None:
    body = json.dumps({**without_event(), "id": odd}).encode()
    assert receiver.post(body).status_code == 400
    assert stored(receiver).bundle_id == ""


def test_each_message_leaves_one_event(receiver: Receiver, slot: Slot) -> None:
    receiver.send(fresh())
    accepted = stored(receiver)
    receiver.post(b"{")
    refused = stored(receiver)
    receiver.send(cancelling())
    events = AuditEvent.objects.filter(action="exchange.receive_message").order_by("pk")
    assert [each.outcome for each in events] == ["done", "refused", "done"]
    assert [each.subject_id for each in events][:2] == [str(accepted.pk), str(refused.pk)]
    assert [each.detail["message_type"] for each in events] == ["booking-new", "", "booking-cancelled"]
    for event in events:
        assert event.actor_label == f"A 111 provider ({SENDER_ODS}) via int.api.service.nhs.uk"


@pytest.mark.parametrize(
    ("changes", "is_theirs"),
    [
        ({}, True),
        ({"content_type": "text/plain"}, True),
        ({"NHSD_Target_Identifier": target("2000012345")}, None),
        ({"X_Request_ID": None}, False),
    ],
    ids=["as-it-should-be", "wrong-format", "another-header", "no-ids"],
)
@pytest.mark.parametrize("is_readable", [True, False], ids=["message", "garbage"])
def test_events_are_of_whom_the_message_came_to(
    receiver: Receiver, slot: Slot, changes: dict[str, Any], is_theirs: bool | None, is_readable: bool
) -> None:
    """By the message itself, where that says more than the header."""
    receiver.post(json.dumps(fresh()).encode() if is_readable else b"{", **changes)
    owner = slot.service.provider_id if (is_readable if is_theirs is None else is_theirs) else None
    assert {each.organisation_id for each in AuditEvent.objects.all()} == {owner}


def test_nothing_about_the_patient_is_on_the_trail(receiver: Receiver, slot: Slot) -> None:
    receiver.send(fresh())
    receiver.send(fresh())
    text = " ".join(str(each) for each in AuditEvent.objects.values_list("detail", "actor_label", "action"))
    for value in ("Zebedee", "Quintilla", "9990548609", "1981-07-14", "07700900123"):
        assert value not in text


def test_warnings_are_kept_with_an_accepted_message(receiver: Receiver, slot: Slot) -> None:
    body = fresh()
    body["entry"][2]["resource"]["contact"][0]["telecom"][0].pop("rank")
    assert receiver.send(body).status_code == 200
    (warning,) = stored(receiver).warnings
    assert warning["rule"] == "contact-ranks"
    assert warning["expression"] == ["Bundle.entry[2].resource.contact[0].telecom"]


def test_the_booking_knows_its_message(receiver: Receiver, slot: Slot) -> None:
    receiver.send(fresh())
    assert Booking.objects.get().message == stored(receiver)


REFUSED_UNREAD: list[tuple[dict[str, Any], int]] = [
    ({"content_type": "text/plain"}, 415),
    ({"Content_Encoding": "br"}, 415),
    ({"Content_Encoding": "gzip"}, 400),
    ({"Accept": "text/html"}, 406),
    ({"Accept": "application/fhir+json; version=2.0.0"}, 406),
    ({"X_Request_ID": None}, 400),
    ({"X_Correlation_ID": "not-a-uuid"}, 400),
    ({"X_Request_ID": None, "X_Correlation_ID": None}, 400),
    ({"NHSD_Target_Identifier": "***"}, 400),
]


@pytest.mark.parametrize(
    ("changes", "status"),
    REFUSED_UNREAD,
    ids=[f"{status}-{'-'.join(changes)}-{place}" for place, (changes, status) in enumerate(REFUSED_UNREAD)],
)
def test_what_is_refused_unread_is_kept_too(
    receiver: Receiver, slot: Slot, changes: dict[str, Any], status: int
) -> None:
    """Headers and bytes of every call from a partner belong to the record (standard section 3)."""
    body = json.dumps(fresh()).encode()
    response = receiver.post(body, **changes)
    assert response.status_code == status
    kept = InboundMessage.objects.get()
    assert (kept.state, kept.status_code) == (InboundState.REFUSED, status)
    assert (bytes(kept.body), bytes(kept.reply or b"")) == (body, response.content)
    assert [str(kept.request_id), str(kept.correlation_id)] == [
        receiver.sent.get(name) if changes.get(name.replace("-", "_"), "") == "" else "None"
        for name in ("X-Request-ID", "X-Correlation-ID")
    ]
    assert not {"Authorization", "Cookie"} & set(kept.headers)
    assert kept.peer == "int.api.service.nhs.uk"
    (event,) = AuditEvent.objects.filter(action="exchange.receive_message")
    assert (event.outcome, event.subject_id) == ("refused", str(kept.pk))
    assert event.detail["code"].startswith(f"{status} REC_")


def test_of_what_is_too_large_the_headers_are_kept(receiver: Receiver, slot: Slot, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    assert receiver.send(fresh()).status_code == 413
    kept = stored(receiver)
    assert (kept.status_code, bytes(kept.body)) == (413, b"")
    assert kept.headers["Accept"] == receiver.sent["Accept"]


def test_a_stranger_leaves_nothing_but_an_event(receiver: Receiver, slot: Slot) -> None:
    assert receiver.send(fresh(), peer=WRONG_NAME).status_code == 403
    assert not InboundMessage.objects.exists()
    assert AuditEvent.objects.get(outcome="refused").detail["code"] == "403 REC_FORBIDDEN forbidden"


def test_the_same_unread_twice_and_then_right(receiver: Receiver, slot: Slot) -> None:
    """What was refused claims nothing: the request id is free."""
    body, ids = fresh(), {"X_Request_ID": str(uuid4())}
    for _ in range(2):
        assert receiver.post(json.dumps(body).encode(), content_type="text/plain", **ids).status_code == 415
    assert receiver.send(body, **ids).status_code == 200
    assert InboundMessage.objects.count() == 3
