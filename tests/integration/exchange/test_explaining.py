"""Messages of the log explained and tried again: scoped, on the trail, and nothing of a dry run stays."""

import gzip
import json
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from bars_portal.accounts.permissions import Role
from bars_portal.audit.models import AuditEvent
from bars_portal.exchange import inbound, tasks
from bars_portal.exchange.arrival import Arrival
from bars_portal.exchange.explaining.stored import attempts_of, explain_sent, replay
from bars_portal.exchange.fhir.formats import Format
from bars_portal.exchange.models import DeliveryAttempt, InboundMessage, OutboundMessage
from bars_portal.settings.base import PORTAL_MIDDLEWARE
from bookings.models import Slot
from directory.models import HealthcareService
from tests.databases import contents
from tests.factories.accounts import confirm, make_organisation, make_user
from tests.factories.bookings import NOW
from tests.integration.exchange.calling import FHIR, Json, Receiver, fresh, hosted
from tests.integration.exchange.partner import outcome_body
from tests.unit.exchange_fhir.factory import booking, ref
from tests.unit.exchange_fhir.samples import HUB, referral_new

pytestmark = pytest.mark.django_db

PASTE = "/messages/explain/"
VALUES = ("Zebedee", "Quintilla", "9990548609", "1981-07-14", "07700900123")


@pytest.fixture
def slot(db: None) -> Slot:
    return hosted(HUB)


@pytest.fixture
def as_portal(settings: Any) -> Any:
    def switch() -> None:
        settings.ROOT_URLCONF, settings.MIDDLEWARE = "bars_portal.urls", PORTAL_MIDDLEWARE
        settings.APPEND_SLASH = True

    return switch


def received(receiver: Receiver, message: Json, status: int) -> InboundMessage:
    answer = receiver.send(message)
    assert answer.status_code == status, answer.content
    return InboundMessage.objects.get(request_id=receiver.sent["X-Request-ID"])


def without_slot_reference() -> Json:
    raw = fresh()
    raw["entry"][1]["resource"]["slot"] = [ref(77)]
    return raw


def signed_in(role: Role, slot: Slot | None) -> Client:
    client = Client()
    organisation = slot.service.provider if slot else make_organisation()
    client.force_login(make_user(role=role, organisation=organisation))
    confirm(client)
    return client


def test_a_refused_message_is_explained_with_the_answer_then(
    receiver: Receiver, slot: Slot, as_portal: Any
) -> None:
    message = received(receiver, without_slot_reference(), 400)
    assert AuditEvent.objects.get(action="exchange.receive_message").detail["rule"] == "references"
    as_portal()
    client = signed_in(Role.ENGINEER, slot)
    page = unescape(client.get(f"/messages/{message.pk}/explain/").content.decode())
    assert "Refused with 400 Bad Request: 1 broken rule" in page
    assert "Bundle.entry[1].resource.slot[0] points at nothing in the Bundle" in page
    assert "<mark>" in page
    assert "Then and now" in page and "Only now" not in page
    assert not [value for value in VALUES if value in page]
    event = AuditEvent.objects.get(action="exchange.explain_message")
    assert (event.subject_id, event.organisation) == (str(message.pk), slot.service.provider)
    assert (
        f'"/messages/{message.pk}/explain/"'
        in client.get(f"/admin/exchange/inboundmessage/{message.pk}/change/").content.decode()
    )


@pytest.mark.parametrize(
    ("role", "own", "status"),
    [(Role.ENGINEER, False, 404), (Role.CLINICIAN, True, 403), (Role.AUDITOR, True, 403)],
)
def test_nobody_else_has_it_explained(
    receiver: Receiver, slot: Slot, as_portal: Any, role: Role, own: bool, status: int
) -> None:
    message = received(receiver, fresh(), 200)
    as_portal()
    client = signed_in(role, slot if own else None)
    before = contents()
    for answer in (
        client.get(f"/messages/{message.pk}/explain/"),
        client.post(f"/messages/{message.pk}/explain/"),
    ):
        assert answer.status_code == status
    assert AuditEvent.objects.filter(outcome="refused", action="accounts.open_page").count() == 2
    assert contents() == before


def test_a_dry_run_leaves_nothing(
    receiver: Receiver,
    slot: Slot,
    as_portal: Any,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    """The slot was taken by another message when it came; now it is free, so all of it would be done."""
    Slot.objects.update(status="busy")
    message = received(receiver, fresh(), 409)
    Slot.objects.update(status="free")
    as_portal()
    monkeypatch.setattr(tasks, "announce", lambda _: pytest.fail("announced"))
    client = Client()
    client.force_login(make_user(role=Role.ENGINEER, organisation=slot.service.provider))
    asked_anew = client.post(f"/messages/{message.pk}/explain/")
    assert asked_anew.headers["Location"].startswith("/accounts/confirm/")
    confirm(client)
    before, events = contents(), AuditEvent.objects.count()
    with django_capture_on_commit_callbacks(execute=True) as waiting:
        page = unescape(client.post(f"/messages/{message.pk}/explain/").content.decode())
    assert waiting == []
    assert "No rule refuses this message" in page and "This was a dry run" in page
    for line in ("Only then</th><td>409 Conflict", "Only now</th><td>200 OK"):
        assert line in page
    assert contents() == before
    told = AuditEvent.objects.order_by("-pk")[: AuditEvent.objects.count() - events]
    assert [each.action for each in told] == ["exchange.replay_message"]


def test_a_dry_run_tells_what_still_stands_in_the_way(
    receiver: Receiver, slot: Slot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes no lock that a repeat of the message would wait for."""
    Slot.objects.update(status="busy")
    message = received(receiver, fresh(), 409)
    claimed, claim = [], inbound.claim

    def watched(arrival: Arrival, reading: inbound.Reading) -> bool:
        claimed.append(arrival.headers.request_id)
        return claim(arrival, reading)

    monkeypatch.setattr(inbound, "claim", watched)
    replayed = replay(message)
    assert claimed and message.request_id not in claimed
    assert replayed.explanation.decisive == "applied"
    assert replayed.is_same, replayed.changes
    assert connection.in_atomic_block and InboundMessage.objects.get() == message


def test_what_was_applied_is_not_applied_again(receiver: Receiver, slot: Slot) -> None:
    message = received(receiver, fresh(referral_new()), 200)
    replayed = replay(message)
    assert replayed.was_applied and replayed.is_same
    assert replayed.explanation.is_taken


def test_today_s_directory_counts(receiver: Receiver, slot: Slot) -> None:
    message = received(receiver, fresh(), 200)
    slot.service.allowed_callers = ["ZZZ99"]
    slot.service.save()
    replayed = replay(message)
    assert (replayed.then.status, replayed.now.status) == (200, 401)
    assert replayed.explanation.decisive == "access"


@pytest.mark.parametrize(
    ("body", "content_type", "headers", "status", "decisive"),
    [
        (b"\xff", FHIR, {}, 400, "well-formed"),
        (b"{}", FHIR, {"X_Request_ID": "seven"}, 400, "request-ids"),
        (b"", FHIR, {}, 415, "body-format"),
        (
            gzip.compress(Format.XML.dumps(without_slot_reference())),
            Format.XML.value,
            {"Content_Encoding": "gzip"},
            400,
            "references",
        ),
    ],
    ids=["bytes", "ids", "nothing", "zipped XML"],
)
def test_whatever_was_refused_is_explained_and_tried_again(
    receiver: Receiver,
    slot: Slot,
    body: bytes,
    content_type: str,
    headers: dict[str, str],
    status: int,
    decisive: str,
) -> None:
    assert receiver.post(body, content_type, **headers).status_code == status
    replayed = replay(InboundMessage.objects.get())
    assert replayed.is_same, replayed.changes
    assert replayed.explanation.decisive == decisive


def test_of_a_body_that_was_not_read_only_the_answer_is_told(
    receiver: Receiver, slot: Slot, as_portal: Any, settings: Any
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    message = received(receiver, fresh(), 413)
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
    as_portal()
    client, address = signed_in(Role.ENGINEER, slot), f"/messages/{message.pk}/explain/"
    for answer in (client.get(address), client.post(address)):
        page = unescape(answer.content.decode())
        assert "413 REC_BAD_REQUEST too-long: The body is larger" in page and "was not kept" in page


def test_what_we_sent_is_explained_with_each_answer(slot: Slot) -> None:
    raw = booking()
    ids = dict.fromkeys(("X-Request-ID", "X-Correlation-ID"), str(UUID(int=1)))
    message = OutboundMessage.objects.create(
        message_type="booking-new",
        subject_type="bookings.booking",
        subject_id="1",
        organisation=slot.service.provider,
        actor_label="Chris Linnell",
        request_id=UUID(int=1),
        correlation_id=UUID(int=1),
        bundle_id=UUID(int=2),
        service_id="2000072936",
        headers={
            "X-Request-ID": "00000000-0000-4000-8000-000000000003",
            "X-Correlation-ID": "00000000-0000-4000-8000-000000000001",
        },
        body=json.dumps(raw).encode(),
        created_at=NOW,
    )
    for number, (status, code, reason) in enumerate(
        [(400, "REC_BAD_REQUEST", "bad-request"), (503, "PROXY_UNAVAILABLE", "refused")], 1
    ):
        DeliveryAttempt.objects.create(
            message=message,
            number=number,
            started_at=NOW,
            status_code=status,
            reason=reason,
            reply_headers=ids,
            reply=outcome_body(code, "invalid"),
        )
    explanation = explain_sent(message)
    assert explanation.is_taken and explanation.is_for_others
    last, first = attempts_of(message, explanation)
    assert (first.party, first.said, first.differs) == ("the receiver", ("REC_BAD_REQUEST invalid",), "")
    assert (last.party, last.differs) == ("the proxy", "unknown: unavailable")
    client = signed_in(Role.ENGINEER, slot)
    page = unescape(client.get(f"/messages/{message.pk}/explain/").content.decode())
    assert "by our rules there is none: ask which rule it means" in page
    assert client.post(f"/messages/{message.pk}/explain/").status_code == 404


def test_a_pasted_message_is_explained_and_not_kept(slot: Slot) -> None:
    client, raw = signed_in(Role.ENGINEER, slot), without_slot_reference()
    before = contents()
    page = unescape(client.post(PASTE, {"pasted_message": json.dumps(raw)}).content.decode())
    assert "points at nothing in the Bundle" in page and "No headers were pasted." in page
    assert not [value for value in VALUES if value in page]
    assert {name for name in before if before[name] != contents()[name]} <= {
        "audit_auditevent",
        "django_session",
    }
    event = AuditEvent.objects.get(action="exchange.explain_pasted")
    assert (event.subject_id, event.detail) == ("", {"status": 400, "rule": "references"})


def test_services_of_others_are_not_read_by_pasting(slot: Slot) -> None:
    """Whether it is hosted here, closed, or whom it lets in: a stranger reads the same of each."""
    pages = set()
    for change in ({}, {"allowed_callers": ["ZZZ99"]}, {"active": False}):
        HealthcareService.objects.update(**change)
        page = signed_in(Role.ENGINEER, None).post(PASTE, {"pasted_message": json.dumps(booking())})
        pages.add(page.content.decode().partition("What is wrong with it")[2].partition("</main>")[0])
    assert len(pages) == 1 and "Only the receiver of the message knows" in pages.pop()


@pytest.mark.parametrize(
    ("message", "headers", "error"),
    [
        ("", "", "Paste a message"),
        ("{}", "no colon", "Line 1 of the headers is not a name, a colon and a value"),
        ("x" * 400_001, "", "Message must be 400,000 characters or fewer"),
    ],
)
def test_what_cannot_be_explained_is_kept_on_the_page(
    slot: Slot, message: str, headers: str, error: str
) -> None:
    client = signed_in(Role.ENGINEER, slot)
    page = unescape(
        client.post(PASTE, {"pasted_message": message, "pasted_headers": headers}).content.decode()
    )
    assert error in page and "There is a problem" in page
    assert message in page and headers in page


def test_the_command_explains_a_file_and_a_message(
    receiver: Receiver, slot: Slot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "message.json"
    file.write_text(json.dumps(without_slot_reference()))
    call_command("explain_message", file, organisation=slot.service.provider.ods_code)
    told = capsys.readouterr().out
    assert "Refused: references (decides)" in told and "> " in told
    message = received(receiver, without_slot_reference(), 400)
    call_command("explain_message", id=message.pk, dry_run=True)
    told = capsys.readouterr().out
    assert "points at nothing" in told and "both  400 Bad Request" in told
    assert not [value for value in VALUES if value in told]
    assert AuditEvent.objects.get(action="exchange.replay_message").organisation == slot.service.provider
