"""A message that was given up, sent as a new one: by one person or two, and never beside the old."""

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import PolicyRefused, Role
from bars_portal.audit.models import AuditEvent
from bars_portal.exchange import delivery
from bars_portal.exchange.message_log import dead_letters as letters
from bars_portal.exchange.message_log import handling
from bars_portal.exchange.message_log.dead_letters import Act, Shown
from bars_portal.exchange.models import (
    NEVER_SENT,
    OBSOLETE,
    DeliveryState,
    OutboundMessage,
    Resending,
)
from bars_portal.exchange.registry import ReadBack
from tests.factories.accounts import confirm, make_acting, make_user
from tests.integration.exchange.partner import Desk, echoing, refusing
from tests.unit.exchange_transport.servers import raw

pytestmark = pytest.mark.django_db(transaction=True)
NOTE = "Rang them: they have not got it, and take no repeat"
NOT_THERE, THERE = ReadBack(was_applied=False), ReadBack(was_applied=True)


@pytest.fixture
def acting(desk: Desk) -> Acting:
    return make_acting(role=Role.ENGINEER, organisation=desk.subject)


@pytest.fixture
def lost(desk: Desk, settings: Any) -> OutboundMessage:
    """Given up: nobody knows whether it arrived."""
    settings.BARS_RETRY_SECONDS = ()
    message = desk.enqueue()
    desk.server.script(raw(b""))
    assert desk.deliver(message) == DeliveryState.ABANDONED
    return message


def shown(message: OutboundMessage) -> Shown:
    assert message.settled_at is not None
    return Shown(message.pk, message.settled_at)


def ask(desk: Desk, message: OutboundMessage, acting: Acting) -> Resending:
    with desk.client() as client:
        return handling.ask_to_resend(
            shown=shown(message), note=NOTE, acting=acting, client=client, clock=desk.clock
        )


def agree(desk: Desk, found: Resending, acting: Acting) -> Resending:
    with desk.client() as client:
        return handling.agree_to_resend(resending_id=found.pk, acting=acting, client=client, clock=desk.clock)


def in_production(settings: Any) -> None:
    settings.BARS = {**settings.BARS, "ENVIRONMENT": "prod"}


def test_it_goes_out_with_ids_of_its_own_and_the_old_one_never_again(
    desk: Desk, lost: OutboundMessage, acting: Acting
) -> None:
    desk.probe.read = NOT_THERE
    new = ask(desk, lost, acting).new_message
    assert new is not None
    lost.refresh_from_db()
    assert (lost.state, lost.reason, delivery.queue_again(lost)) == ("abandoned", OBSOLETE, False)
    assert {new.request_id, new.bundle_id}.isdisjoint({lost.request_id, lost.bundle_id})
    assert new.headers == {**lost.headers, "X-Request-ID": str(new.request_id)}
    same = ("correlation_id", "subject_id", "actor_label", "service_id", "message_type")
    assert [getattr(new, each) for each in same] == [getattr(lost, each) for each in same]
    desk.server.script(echoing(body=bytes(new.body)))
    assert desk.deliver(new) == DeliveryState.ACCEPTED
    assert str(new.bundle_id).encode() in desk.server.received[-1].body
    (event,) = AuditEvent.objects.filter(action="exchange.resend_message")
    assert (event.subject_id, event.detail) == (str(new.pk), {"in_place_of": str(lost.pk)})
    with pytest.raises(PolicyRefused, match="moved on"):
        ask(desk, lost, acting)


def test_a_refusal_of_it_is_not_final_for_the_old_one_may_have_arrived(
    desk: Desk, lost: OutboundMessage, acting: Acting
) -> None:
    desk.probe.read = NOT_THERE
    new = ask(desk, lost, acting).new_message
    assert new is not None
    desk.probe.read = THERE
    desk.server.script(refusing(409, "REC_CONFLICT", "conflict"))
    assert desk.deliver(new) == DeliveryState.ACCEPTED
    assert new.reason == "conflict/applied"


@pytest.mark.parametrize(
    ("read", "says"), [(THERE, handling.HAS_IT), (ReadBack(), handling.NOT_SAID)], ids=["there", "not-said"]
)
def test_nothing_is_sent_while_the_service_has_it_or_does_not_say(
    desk: Desk, lost: OutboundMessage, acting: Acting, read: ReadBack, says: str
) -> None:
    desk.probe.read = read
    with pytest.raises(PolicyRefused) as refused:
        ask(desk, lost, acting)
    assert refused.value.sentence == says
    assert (OutboundMessage.objects.count(), Resending.objects.count()) == (1, 0)
    read_back_at = OutboundMessage.objects.get().read_back_at
    assert read_back_at is not None
    assert (read_back_at <= desk.now) == (read is THERE), "the worker asks too, and settles it"


def test_in_production_somebody_else_agrees(
    desk: Desk, lost: OutboundMessage, acting: Acting, settings: Any
) -> None:
    in_production(settings)
    found = ask(desk, lost, acting)
    assert (found.new_message, desk.probe.reads) == (None, 0)
    with pytest.raises(PolicyRefused, match="asked for this already"):
        ask(desk, lost, acting)
    with pytest.raises(PolicyRefused, match="Somebody else has to agree"):
        agree(desk, found, acting)
    with pytest.raises(IntegrityError, match="resending_by_two_people"), transaction.atomic():
        new = OutboundMessage.objects.get()
        Resending.objects.update(agreed_by=acting.user, agreed_at=desk.now, new_message=new)
    stranger = make_acting(role=Role.ENGINEER)
    with pytest.raises(PolicyRefused, match="moved on"):
        agree(desk, found, stranger)
    second = make_acting(role=Role.MANAGER, organisation=desk.subject)
    assert agree(desk, found, second).new_message is not None
    with pytest.raises(PolicyRefused, match="moved on"):
        agree(desk, found, second)
    assert OutboundMessage.objects.count() == 2


def _again(message: OutboundMessage, acting: Acting) -> None:
    assert delivery.queue_again(message)


def _settled(message: OutboundMessage, acting: Acting) -> None:
    assert message.settled_at is not None
    result = letters.act_on(
        shown=[shown(message)], act=Act.SETTLED, note=NOTE, acting=acting, now=message.settled_at
    )
    assert result.done == 1


def _never_sent(message: OutboundMessage, acting: Acting) -> None:
    OutboundMessage.objects.update(reason=NEVER_SENT)


@pytest.mark.parametrize("meanwhile", [_again, _settled, _never_sent])
def test_what_somebody_else_did_meanwhile_stands(
    desk: Desk,
    lost: OutboundMessage,
    acting: Acting,
    settings: Any,
    meanwhile: Callable[[OutboundMessage, Acting], None],
) -> None:
    in_production(settings)
    found = ask(desk, lost, acting)
    meanwhile(lost, acting)
    second = make_acting(role=Role.MANAGER, organisation=desk.subject)
    with pytest.raises(PolicyRefused, match="moved on"):
        agree(desk, found, second)
    assert OutboundMessage.objects.count() == 1
    assert handling.withdraw_resending(resending_id=found.pk, acting=second, now=desk.now)
    assert not handling.withdraw_resending(resending_id=found.pk, acting=second, now=desk.now)


def test_the_pages(desk: Desk, lost: OutboundMessage, settings: Any) -> None:
    in_production(settings)

    def person(role: Role = Role.ENGINEER) -> Client:
        client = Client()
        client.force_login(make_user(role=role, organisation=desk.subject))
        confirm(client)
        return client

    first, second = person(), person(Role.MANAGER)
    address = f"/messages/{lost.pk}/send-as-new/"
    assert address in first.get("/messages/dead-letters/").content.decode()
    assert person(Role.CLINICIAN).get(address).status_code == 403
    missing = first.post(address, {"message": str(shown(lost)), "note": ""}).content.decode()
    assert "Enter why it is sent as a new message" in missing
    answer = first.post(address, {"message": str(shown(lost)), "note": NOTE}, follow=True)
    page = unescape(answer.content.decode())
    assert "Waiting for a second person" in page
    agreeing = f"/messages/resendings/{Resending.objects.get().pk}/"
    assert agreeing in page
    assert "Agree and send" not in first.get(agreeing).content.decode()
    assert handling.NOT_BY_THE_SAME in unescape(first.post(agreeing).content.decode())
    other = Client()
    other.force_login(make_user(role=Role.ENGINEER))
    confirm(other)
    assert [other.get(each).status_code for each in (address, agreeing)] == [404, 404]
    assert "Agree and send" in second.get(agreeing).content.decode()
    assert "on its way" in unescape(second.post(agreeing, follow=True).content.decode())
    assert first.get(address).status_code == 404, "it has moved on"
