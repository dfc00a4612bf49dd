"""The message log as conversations: joined, ordered, filtered, found; masked until somebody says why."""

import json
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from bars_portal.accounts.models import Organisation
from bars_portal.accounts.permissions import Role
from bars_portal.audit.models import AuditEvent
from bars_portal.audit.selectors import looks
from bars_portal.exchange.message_log import conversations
from bars_portal.exchange.message_log.conversations import (
    Message,
    Place,
    Waits,
    Wanted,
    list_conversations,
)
from bars_portal.exchange.message_log.handling import UNMASKED_FOR
from bars_portal.exchange.models import DeliveryState, InboundState, Unmasking
from directory.models import HealthcareService
from tests.factories.accounts import confirm, make_organisation, make_user
from tests.factories.directory import make_service
from tests.factories.messages import NOW, PARTNER, attempt, inbound, outbound
from tests.integration.exchange.calling import encoded, organisation, target
from tests.unit.exchange_fhir.factory import booking

pytestmark = pytest.mark.django_db

VALUES = ("Zebedee", "Quintilla", "9990548609", "1981-07-14", "07700900123")
WHY = "Incident 4711: the service says that it has no date of birth"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def here() -> HealthcareService:
    return make_service(provider=make_organisation(name="Riverside"))


@pytest.fixture
def ours(here: HealthcareService) -> Organisation:
    return here.provider


@pytest.fixture
def sign_in(ours: Organisation) -> Callable[..., Client]:
    def enter(role: Role, organisation: Organisation | None = None) -> Client:
        client = Client()
        client.force_login(make_user(role=role, organisation=organisation or ours))
        confirm(client)
        return client

    return enter


def text(response: Any) -> str:
    assert response.status_code == 200
    return unescape(response.content.decode())


def test_both_ways_are_one_conversation_at_its_newest_message(
    here: HealthcareService, ours: Organisation
) -> None:
    first = outbound(ours)
    alone = outbound(ours, created_at=NOW + MINUTE)
    reply = inbound(here.service_id, correlation_id=first.correlation_id, received_at=NOW + 2 * MINUTE)
    unread = inbound(here.service_id, correlation_id=None, received_at=NOW - MINUTE)
    outbound(make_organisation())
    inbound("2000000000", correlation_id=first.correlation_id, received_at=NOW + 3 * MINUTE)
    found = list_conversations(ours.pk, Wanted(), now=NOW).conversations
    assert [each.id for each in found] == [first.correlation_id, alone.correlation_id, unread.pk]
    assert [each.pk for each in found[0].messages] == [reply.pk, first.pk]


@pytest.mark.parametrize("batch", [200, 7])
def test_each_conversation_is_on_one_page(
    here: HealthcareService, ours: Organisation, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    """Where many came at one instant, one conversation has many messages, and a page gives up looking too."""
    monkeypatch.setattr(conversations, "_BATCH", batch)
    monkeypatch.setattr(conversations, "_MOST_BATCHES", 2)
    busy = uuid4()
    expected: set[UUID | None] = {busy}
    for number in range(30):
        expected.add(outbound(ours).correlation_id)
        expected.add(inbound(here.service_id, received_at=NOW - number * MINUTE).correlation_id)
        outbound(ours, correlation_id=busy, created_at=NOW - number * MINUTE)
    seen, before = [], None
    while True:
        page = list_conversations(ours.pk, Wanted(), before=before, now=NOW)
        seen += [each.id for each in page.conversations]
        if page.older is None:
            break
        before = Place.read(str(page.older))
        assert before == page.older
    assert len(seen) == len(expected)
    assert set(seen) == expected


FILTERS: list[tuple[Wanted, set[str]]] = [
    (Wanted(partner=PARTNER), {"sent", "refused", "waiting", "received"}),
    (Wanted(partner="2000077002"), {"given up"}),
    (Wanted(kind="booking-cancelled"), {"refused"}),
    (Wanted(state="accepted"), {"sent", "received"}),
    (Wanted(state="refused"), {"refused", "turned away"}),
    (Wanted(waits=Waits.PERSON), {"given up"}),
    (Wanted(waits=Waits.ON_ITS_WAY), {"waiting"}),
    (Wanted(state="accepted", waits=Waits.PERSON), set()),
]


@pytest.mark.parametrize(("wanted", "expected"), FILTERS)
def test_filters(here: HealthcareService, ours: Organisation, wanted: Wanted, expected: set[str]) -> None:
    made: dict[str, Message] = {
        "sent": outbound(ours),
        "refused": outbound(ours, state=DeliveryState.REFUSED, message_type="booking-cancelled"),
        "waiting": outbound(ours, state=DeliveryState.QUEUED, settled_at=None),
        "given up": outbound(
            ours, state=DeliveryState.ABANDONED, reason="deadline/timeout", service_id="2000077002"
        ),
        "received": inbound(here.service_id),
        "turned away": inbound(here.service_id, state=InboundState.REFUSED, source_service_id=""),
    }
    # Fits nothing that is asked for but the plain list, and is newer.
    other = make_organisation()
    for message in list(made.values()):
        outbound(other, correlation_id=message.correlation_id, created_at=NOW + MINUTE)
    names = {message.correlation_id: name for name, message in made.items()}
    found = list_conversations(ours.pk, wanted, now=NOW).conversations
    assert {names[each.id] for each in found} == expected


def test_the_page_joins_what_is_about_the_same_thing(
    here: HealthcareService, ours: Organisation, sign_in: Callable[..., Client]
) -> None:
    about = uuid4()
    first = outbound(ours, focus_id=about, headers={"NHSD-Target-Identifier": target()})
    attempt(first, status_code=200, reply=json.dumps(booking()).encode(), elapsed_ms=340)
    beside = inbound(here.service_id, focus_id=about)
    inbound("2000000000", focus_id=about, message_type="validation-new")
    page = text(sign_in(Role.ENGINEER).get(f"/messages/conversations/{first.correlation_id}/"))
    assert f"message-{first.pk}" in page
    assert f"message-{beside.pk}" in page
    assert f"under another correlation id: {beside.correlation_id}" in page
    assert "340 ms" in page
    assert f"/messages/{first.pk}/explain/" in page
    assert page.count('class="app-message__group"') == 2


def test_headers_are_decoded_and_people_masked(
    here: HealthcareService, ours: Organisation, sign_in: Callable[..., Client]
) -> None:
    person = {"resourceType": "PractitionerRole", "identifier": [{"value": "555021935107"}]}
    headers = {
        "NHSD-Target-Identifier": target("2000099001"),
        "NHSD-End-User-Organisation": organisation("RX111"),
        "NHSD-Requesting-Practitioner": encoded(person),
        "NHSD-Requesting-Software": "not base64 of Quintilla",
        "X-Note": "Quintilla",
        "use-context": "a1t1|x|booking-request|new",
    }
    message = inbound(here.service_id, headers=headers, reply=b'{"resourceType": "OperationOutcome"}')
    page = text(sign_in(Role.ENGINEER).get(f"/messages/conversations/{message.correlation_id}/"))
    for shown in (
        '"value": "2000099001"',
        '"value": "RX111"',
        "A 111 provider",
        "a1t1|x|booking-request|new",
    ):
        assert shown in page
    for hidden in ("555021935107", encoded(person), *VALUES):
        assert hidden not in page


@pytest.mark.parametrize("role", [Role.ENGINEER, Role.AUDITOR])
def test_whoever_says_why_sees_one_message_for_ten_minutes(
    here: HealthcareService, ours: Organisation, sign_in: Callable[..., Client], role: Role
) -> None:
    message = outbound(ours)
    other = inbound(here.service_id, correlation_id=message.correlation_id)
    client, page = sign_in(role), f"/messages/conversations/{message.correlation_id}/"
    assert "Quintilla" not in text(client.get(page))
    ask = f"/messages/{message.pk}/unmask/"
    empty = text(client.post(ask, {"reason": " x "}))
    assert "must be 10 characters or more" in empty
    assert not Unmasking.objects.exists()
    answer = client.post(ask, {"reason": WHY})
    assert answer.headers["Location"] == f"{page}#message-{message.pk}"
    shown = text(client.get(page))
    for value in VALUES:
        # Of this message alone, not of the one beside it.
        assert shown.count(value) == 1, value
    assert f'action="/messages/{message.pk}/mask/"' in shown
    assert f"/messages/{other.pk}/unmask/" in shown
    assert "Quintilla" not in text(sign_in(role).get(page)), "nobody else sees it"
    Unmasking.objects.update(until=Unmasking.objects.get().at + UNMASKED_FOR - 11 * MINUTE)
    assert "Quintilla" not in text(client.get(page)), "its time is over"


def test_unmasking_asks_anew_who_it_is(ours: Organisation) -> None:
    message, client = outbound(ours), Client()
    client.force_login(make_user(role=Role.ENGINEER, organisation=ours))
    answer = client.post(f"/messages/{message.pk}/unmask/", {"reason": WHY})
    assert answer.headers["Location"].startswith("/accounts/confirm/")
    assert not Unmasking.objects.exists()


def test_it_can_be_masked_sooner(ours: Organisation, sign_in: Callable[..., Client]) -> None:
    message = outbound(ours)
    client, page = sign_in(Role.ENGINEER), f"/messages/conversations/{message.correlation_id}/"
    client.post(f"/messages/{message.pk}/unmask/", {"reason": WHY})
    answer = client.post(f"/messages/{message.pk}/mask/", follow=True)
    assert "masked again" in text(answer)
    assert "Quintilla" not in text(client.get(page))


def test_an_unmasking_is_a_look_on_the_owners_trail(
    ours: Organisation, sign_in: Callable[..., Client]
) -> None:
    message = outbound(ours)
    client = sign_in(Role.ENGINEER)
    client.post(f"/messages/{message.pk}/unmask/", {"reason": WHY})
    client.get(f"/messages/conversations/{message.correlation_id}/")
    events = AuditEvent.objects.filter(looks(), subject_id=str(message.pk)).order_by("pk")
    assert [each.action for each in events] == ["exchange.unmask_message", "exchange.view_unmasked_message"]
    for event in events:
        assert (event.organisation, event.correlation_id) == (ours, message.correlation_id)
        assert WHY not in json.dumps(event.detail)


def test_the_report(ours: Organisation, sign_in: Callable[..., Client]) -> None:
    message = outbound(ours)
    sign_in(Role.ENGINEER).post(f"/messages/{message.pk}/unmask/", {"reason": f"=HYPERLINK({WHY})"})
    for role in (Role.AUDITOR, Role.MANAGER):
        client = sign_in(role)
        assert WHY in text(client.get("/messages/unmaskings/"))
        file = b"".join(client.get("/messages/unmaskings.csv")).decode()
        assert f"'=HYPERLINK({WHY})" in file
        assert str(message.pk) in file
    theirs = sign_in(Role.AUDITOR, make_organisation())
    assert WHY not in text(theirs.get("/messages/unmaskings/"))
    assert sign_in(Role.ENGINEER).get("/messages/unmaskings/").status_code == 403


@pytest.mark.parametrize("path", ["conversations/{0.correlation_id}/", "{0.pk}/unmask/", "{0.pk}/mask/"])
def test_what_is_another_organisations_is_not_there(
    here: HealthcareService, ours: Organisation, sign_in: Callable[..., Client], path: str
) -> None:
    stranger = sign_in(Role.ENGINEER, make_organisation())
    for message in (outbound(ours), inbound(here.service_id)):
        address = f"/messages/{path.format(message)}"
        assert stranger.post(address, {"reason": WHY}).status_code in (404, 405)
        if not path.endswith("mask/") or "unmask" in path:
            assert stranger.get(address).status_code == 404
    assert not Unmasking.objects.exists()


def test_a_conversation_is_found_by_any_of_its_ids(
    here: HealthcareService, ours: Organisation, sign_in: Callable[..., Client]
) -> None:
    sent, unread = outbound(ours), inbound(here.service_id, correlation_id=None)
    loud = inbound(here.service_id, bundle_id=str(uuid4()).upper())
    client = sign_in(Role.ENGINEER)
    for called, key in [
        (sent.correlation_id, sent.correlation_id),
        (sent.request_id, sent.correlation_id),
        (f" urn:uuid:{sent.pk} ", sent.correlation_id),
        (unread.request_id, unread.pk),
        (sent.bundle_id, sent.correlation_id),
        (unread.bundle_id, unread.pk),
        (loud.bundle_id.lower(), loud.correlation_id),
        (loud.bundle_id, loud.correlation_id),
    ]:
        answer = client.post("/messages/find/", {"called": str(called)})
        assert answer.headers["Location"] == f"/messages/conversations/{key}/"
    for wrong, words in [("Quintilla", "Enter an id as it is"), (uuid4(), "has no message with this id")]:
        page = text(client.post("/messages/find/", {"called": str(wrong)}))
        assert words in page
        assert str(wrong) in page, "what was typed is kept"
    assert "has no message" in text(
        sign_in(Role.ENGINEER, make_organisation()).post("/messages/find/", {"called": str(sent.pk)})
    )
