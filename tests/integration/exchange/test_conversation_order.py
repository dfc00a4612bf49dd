"""Order within a conversation: an update or a cancel never overtakes its request, with two workers."""

from datetime import timedelta
from threading import Event, Thread
from uuid import UUID, uuid4

import pytest
from django.db import connection, models

from bars_portal.exchange import delivery
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.models import DeliveryState, OutboundMessage
from bars_portal.exchange.registry import Addressing
from bars_portal.exchange.waiting import ready_for, waiting_services
from tests.factories.accounts import make_organisation
from tests.integration.exchange.partner import Desk, Probe, echoing, registered
from tests.unit.exchange_transport.servers import raw, serving, silence

pytestmark = pytest.mark.django_db(transaction=True)
SERVICE, OTHER = "2000099001", "2000099002"


class Talking(Probe):
    """All of one conversation, unless another is named."""

    conversation = uuid4()
    to = SERVICE

    def addressing(self, subject: models.Model) -> Addressing:
        return Addressing(ServiceID.parse(self.to), self.conversation, UseCase("a1t1"), "booking")


def later(desk: Desk) -> OutboundMessage:
    desk.now += timedelta(seconds=1)
    return desk.enqueue()


def ready(desk: Desk) -> list[UUID]:
    return ready_for(SERVICE, now=desk.now + timedelta(minutes=1), most=9)


def test_two_workers_send_a_request_and_its_update_in_order() -> None:
    """The first worker's request hangs: the second worker, at the same moment, sends nothing after it."""
    talking, answer = Talking(), Event()
    with serving() as server, registered(talking):
        desk = Desk(server, talking)
        request, update = desk.enqueue(), later(desk)
        server.script(silence(answer), echoing())

        def work() -> None:
            try:
                with desk.client() as client:
                    client._http.timeout = 5.0
                    delivery.deliver(request.pk, client=client, clock=desk.clock)
            finally:
                connection.close()

        first = Thread(target=work)
        first.start()
        while not server.received:
            first.join(0.01)
        assert desk.deliver(update) is None
        assert update.state == DeliveryState.QUEUED
        answer.set()
        first.join(10)
        request.refresh_from_db()
        # Nobody knows of the request: what is about the very same thing still waits for it.
        assert (request.state, desk.deliver(update)) == (DeliveryState.UNKNOWN, None)
        desk.now += timedelta(minutes=1)
        assert [desk.deliver(each) for each in (request, update)] == [DeliveryState.ACCEPTED] * 2
        ids = [each.headers["x-request-id"] for each in server.received]
        assert ids == [str(each.request_id) for each in (request, request, update)]


def test_who_waits_for_whom() -> None:
    talking = Talking()
    with serving() as server, registered(talking):
        desk = Desk(server, talking)
        first = desk.enqueue()
        desk.subject = make_organisation(ods_code="RX222")
        second = later(desk)
        talking.to = OTHER
        elsewhere = later(desk)
        talking.to, talking.conversation = SERVICE, uuid4()
        stranger = later(desk)
        assert waiting_services() == [SERVICE, OTHER]
        assert ready_for(OTHER, now=desk.now, most=9) == [elsewhere.pk]
        assert ready(desk) == [first.pk, stranger.pk]
        assert ready_for(SERVICE, now=desk.now, most=1) == [first.pk]
        server.script(raw(b""))
        desk.deliver(first)
        # Another thing of the same conversation does not wait until it is known what became of the first.
        assert ready(desk) == [second.pk, stranger.pk, first.pk]
        OutboundMessage.objects.update(subject_id=second.subject_id)
        assert ready(desk) == [stranger.pk, first.pk]
        OutboundMessage.objects.filter(pk=first.pk).update(
            state=DeliveryState.ABANDONED, next_attempt_at=None
        )
        assert ready(desk) == [second.pk, stranger.pk]
