"""The message log in the admin: masked for everybody, scoped, audited, read-only."""

import json
import re
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from bars_portal.accounts.permissions import Role
from bars_portal.audit.models import AuditEvent
from bars_portal.exchange.models import DeliveryAttempt, InboundMessage, OutboundMessage
from bookings.models import Slot
from tests.factories.accounts import make_organisation, make_user
from tests.factories.bookings import NOW
from tests.integration.exchange.calling import Receiver, fresh
from tests.unit.exchange_fhir.factory import booking

pytestmark = pytest.mark.django_db

VALUES = ("Zebedee", "Quintilla", "9990548609", "1981-07-14", "07700900123")
INBOUND, OUTBOUND = "/admin/exchange/inboundmessage/", "/admin/exchange/outboundmessage/"


@pytest.fixture
def inbound(receiver: Receiver, slot: Slot, settings: Any) -> InboundMessage:
    """A message that the receiver took; then this process is a portal again."""
    assert receiver.send(fresh(), use_context="a1t1|x|booking-request|new").status_code == 200
    settings.ROOT_URLCONF = "bars_portal.urls"
    from bars_portal.settings.base import PORTAL_MIDDLEWARE

    settings.MIDDLEWARE = PORTAL_MIDDLEWARE
    return InboundMessage.objects.get()


@pytest.fixture
def outbound(inbound: InboundMessage, slot: Slot) -> OutboundMessage:
    message = OutboundMessage.objects.create(
        message_type="booking-new",
        subject_type="bookings.booking",
        subject_id="1",
        organisation=slot.service.provider,
        actor_label="Chris Linnell",
        correlation_id=inbound.correlation_id or uuid4(),
        bundle_id=inbound.pk,
        service_id="2000099001",
        headers={"X-Request-ID": "x"},
        body=json.dumps(booking()).encode(),
        created_at=NOW,
    )
    DeliveryAttempt.objects.create(
        message=message, number=1, started_at=NOW, reply=json.dumps(booking()).encode(), status_code=200
    )
    return message


def signed_in(role: Role, slot: Slot | None) -> Client:
    """A fresh client, acting for the organisation that hosts the service (or for another one)."""
    client = Client()
    organisation = slot.service.provider if slot else make_organisation()
    client.force_login(make_user(role=role, organisation=organisation))
    return client


def page(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    return unescape(response.content.decode())


def urls(inbound: InboundMessage, outbound: OutboundMessage) -> list[str]:
    return [f"{INBOUND}{inbound.pk}/change/", f"{OUTBOUND}{outbound.pk}/change/"]


def test_what_nobody_could_read_has_a_link_with_words(inbound: InboundMessage, slot: Slot) -> None:
    InboundMessage.objects.create(
        message_type="",
        service_id=inbound.service_id,
        state=inbound.state,
        status_code=400,
        peer=inbound.peer,
        headers={},
        body=b"",
        received_at=inbound.received_at,
        completed_at=inbound.completed_at,
    )
    content = page(signed_in(Role.ENGINEER, slot), INBOUND)
    assert re.search(r'href="\?message_type="[^>]*>\s*Not known', content)


@pytest.mark.parametrize("role", [Role.ENGINEER, Role.AUDITOR])
def test_nobody_sees_a_patient(
    inbound: InboundMessage, outbound: OutboundMessage, slot: Slot, role: Role
) -> None:
    """Who says why they need to does, in the message log: the page links to it."""
    client = signed_in(role, slot)
    for url in [*urls(inbound, outbound), INBOUND, OUTBOUND]:
        content = page(client, url)
        for value in VALUES:
            assert value not in content, url
    for url in urls(inbound, outbound):
        content = page(client, url)
        assert "Patient values are masked." in content
        assert f"/messages/conversations/{inbound.correlation_id}/" in content
        assert "booking-request" in content
        assert "a-secret-token" not in content


def test_looking_is_recorded(inbound: InboundMessage, outbound: OutboundMessage, slot: Slot) -> None:
    client = signed_in(Role.AUDITOR, slot)
    for url in urls(inbound, outbound):
        client.get(url)
    events = AuditEvent.objects.filter(action="exchange.view_message")
    assert {each.subject_id for each in events} == {str(inbound.pk), str(outbound.pk)}
    assert all(each.actor_user is not None for each in events)


@pytest.mark.parametrize("role", [Role.ENGINEER, Role.AUDITOR])
def test_another_organisations_messages_are_not_there(
    inbound: InboundMessage, outbound: OutboundMessage, role: Role
) -> None:
    stranger = signed_in(role, None)
    for url in urls(inbound, outbound):
        assert stranger.get(url).status_code == 404, "as if it did not exist"
    assert "0 inbound messages" in page(stranger, INBOUND)
    assert "0 outbound messages" in page(stranger, OUTBOUND)
    found = page(stranger, f"{INBOUND}?q={inbound.request_id}")
    assert str(inbound.pk) not in found
    assert not AuditEvent.objects.filter(action="exchange.view_message").exists()


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.CLERK, Role.MANAGER])
def test_nobody_else_comes_in(
    inbound: InboundMessage, outbound: OutboundMessage, slot: Slot, role: Role
) -> None:
    client = signed_in(role, slot)
    for url in [*urls(inbound, outbound), INBOUND, OUTBOUND]:
        assert client.get(url, follow=True).status_code == 403


@pytest.mark.parametrize("role", [Role.ENGINEER, Role.AUDITOR, None])
def test_nothing_can_be_changed(
    inbound: InboundMessage, outbound: OutboundMessage, slot: Slot, role: Role | None
) -> None:
    if role is None:
        client = Client()
        client.force_login(
            make_user(role=Role.ENGINEER, organisation=slot.service.provider, is_superuser=True)
        )
    else:
        client = signed_in(role, slot)
    for url in urls(inbound, outbound):
        assert client.post(url, {"state": "refused"}).status_code == 403
        assert client.post(url.replace("/change/", "/delete/"), {"post": "yes"}).status_code == 403
    for url in (INBOUND, OUTBOUND):
        assert client.get(f"{url}add/").status_code == 403
        assert client.post(url, {"action": "delete_selected", "_selected_action": "1"}).status_code in (
            200,
            302,
            403,
        )
    assert InboundMessage.objects.count() == OutboundMessage.objects.count() == 1
    inbound.refresh_from_db()
    assert inbound.state == "accepted"


@pytest.mark.parametrize(
    "body", [b"\xff\x00", b"{", b'{"a":' * 400 + b"1" + b"}" * 400, b'{"resourceType": []}']
)
def test_whatever_was_refused_can_be_looked_at(inbound: InboundMessage, slot: Slot, body: bytes) -> None:
    InboundMessage.objects.update(body=body, reply=None)
    for role in (Role.ENGINEER, Role.AUDITOR):
        assert page(signed_in(role, slot), f"{INBOUND}{inbound.pk}/change/")
