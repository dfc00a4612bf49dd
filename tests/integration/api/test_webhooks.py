"""Webhooks to real servers: signed, each event once, again until it is taken, and to nobody inside."""

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from itertools import pairwise
from typing import Any

import orjson
import pytest
from django.core import mail
from standardwebhooks import Webhook as Verifier

from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.api.events import CursorGone, forget_events, number_events
from bars_portal.api.models import (
    Application,
    DeliveryState,
    Event,
    EventStream,
    OffReason,
    Webhook,
    WebhookAttempt,
    WebhookDelivery,
)
from bars_portal.api.operations import Scope
from bars_portal.api.webhooks import delivery, services
from bars_portal.api.webhooks.delivery import (
    LEASE,
    attempt,
    claim,
    deal,
    forget_deliveries,
    settle,
)
from bars_portal.api.webhooks.posting import OFF_AFTER, WAITS
from bars_portal.api.webhooks.rounds import WebhookRoom
from bars_portal.api.webhooks.selectors import secrets_of, with_due, with_news
from bars_portal.api.webhooks.services import BadWebhook, tell_owners
from bars_portal.audit.models import AuditEvent
from tests.factories.api import SETUP, happen, make_application, make_webhook
from tests.unit.exchange_transport.servers import Server, raw, reply, serving, silence

pytestmark = pytest.mark.django_db
CONTEXT = ssl.create_default_context()


@pytest.fixture
def receiver() -> Iterator[Server]:
    with serving() as server:
        server.script(reply(204, b""))
        yield server


def work(now: datetime, **options: Any) -> list[str]:
    """One look of the worker, in this thread; what became of each attempt."""
    number_events()
    for found in list(with_news(now=now)):
        deal(found.pk, now=now)
    told = []
    for found in list(with_due(now=now)):
        for each in claim(found.pk, now=now, most=10):
            outcome = attempt(each, now=now, verify=CONTEXT, **options)
            settle(each, outcome, now=now)
            told.append(str(outcome.answer.status) if outcome.answer else outcome.problem)
    return told


def body(server: Server, number: int = -1) -> Any:
    return orjson.loads(server.received[number].body)


def verified(server: Server, secret: str, number: int = -1) -> Any:
    received = server.received[number]
    return Verifier(secret).verify(received.body, received.headers)


def test_an_event_arrives_signed_thin_and_once(receiver: Server) -> None:
    webhook, secret = make_webhook(url=f"{receiver.url}/in")
    now = datetime.now(UTC)
    (event,) = happen(webhook.application.organisation)
    assert work(now) == ["204"]
    assert work(now) == []
    said = verified(receiver, secret)
    assert said == {
        "type": "booking.booked",
        "timestamp": "2026-11-21T09:00:00.000Z",
        "data": {
            "event": str(event.uid),
            "cursor": "1",
            "kind": "booking",
            "id": str(event.subject_id),
            "direction": "sent",
            "status": "booked",
            "organisation": webhook.application.organisation.ods_code,
            "service": "2000099999",
            "journey": str(event.journey_id),
        },
    }
    assert receiver.received[0].headers["webhook-id"] == str(event.uid)
    (made,) = WebhookDelivery.objects.all()
    assert (made.state, made.tries, made.next_attempt_at) == (DeliveryState.DELIVERED, 1, None)


def test_it_gets_what_its_application_may_see_and_it_asked_for(receiver: Server) -> None:
    application = make_application(
        scopes=[Scope.BOOKINGS_READ, Scope.WEBHOOKS_MANAGE], service_ids=["1", "2"]
    )
    make_webhook(url=receiver.url, application=application, types=["booking.booked"], service_ids=["2"])
    ours = application.organisation
    happen(ours, service_id="1")
    happen(ours, service_id="3")
    happen(ours, service_id="2", type="booking.cancelled")
    happen(ours, service_id="2", needs="referrals.view_sent_referrals")
    happen(make_application().organisation, service_id="2")
    (wanted,) = happen(ours, service_id="2")
    assert work(datetime.now(UTC)) == ["204"]
    assert body(receiver)["data"]["event"] == str(wanted.uid)


def test_what_was_taken_from_the_application_meanwhile_is_not_told(receiver: Server) -> None:
    webhook, _ = make_webhook(url=receiver.url)
    happen(webhook.application.organisation)
    number_events()
    now = datetime.now(UTC)
    deal(webhook.pk, now=now)
    Application.objects.update(scopes=[Scope.WEBHOOKS_MANAGE.value])
    assert work(now) == ["withdrawn"]
    assert (receiver.received, WebhookDelivery.objects.get().state) == ([], DeliveryState.FAILED)


@pytest.mark.parametrize(
    "over",
    [{"revoked_at": datetime.now(UTC)}, {"expires_at": datetime.now(UTC)}, {"scopes": ["bookings:read"]}],
    ids=lambda over: next(iter(over)),
)
def test_nothing_goes_out_for_an_application_that_is_over(receiver: Server, over: dict[str, Any]) -> None:
    webhook, _ = make_webhook(url=receiver.url)
    happen(webhook.application.organisation)
    Application.objects.update(**over)
    assert work(datetime.now(UTC)) == []


def test_one_that_fails_is_asked_again_under_the_same_id_with_the_same_body(receiver: Server) -> None:
    webhook, _ = make_webhook(url=receiver.url)
    receiver.script(reply(500), reply(503, headers={"Retry-After": "600"}), raw(b""), reply(200))
    happen(webhook.application.organisation)
    now, moments = datetime.now(UTC), []
    for expected in ("500", "503", "cut", "200"):
        assert work(now) == [expected]
        moments.append(now)
        now = WebhookDelivery.objects.get().next_attempt_at or now
    waits = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    assert waits == [5, 600, 300]
    assert len({(each.body, each.headers["webhook-id"]) for each in receiver.received}) == 1
    webhook.refresh_from_db()
    assert (webhook.failures, webhook.failing_since, webhook.resting_until) == (0, None, None)
    log = list(WebhookAttempt.objects.values_list("status", "problem"))
    assert log == [(500, ""), (503, ""), (None, "cut"), (200, "")]


def test_a_receiver_that_fails_rests_whatever_waits_for_it(receiver: Server) -> None:
    webhook, _ = make_webhook(url=receiver.url)
    receiver.script(reply(500))
    happen(webhook.application.organisation)
    now = datetime.now(UTC)
    assert work(now) == ["500"]
    happen(webhook.application.organisation, 5)
    assert work(now + timedelta(seconds=4)) == []
    receiver.script(reply(200))
    assert work(now + timedelta(seconds=5)) == ["200"] * 6


def test_one_that_takes_nothing_for_days_is_switched_off_and_its_owner_told(
    receiver: Server, settings: Any
) -> None:
    settings.EMAIL_HOST = "mail.test"
    webhook, _ = make_webhook(url=receiver.url)
    owner = webhook.application.owner
    owner.email = "owner@example.org"
    owner.save()
    receiver.script(reply(500))
    happen(webhook.application.organisation)
    now = began = datetime.now(UTC)
    while work(now):
        found = WebhookDelivery.objects.get()
        now = found.next_attempt_at or now
    webhook.refresh_from_db()
    assert (webhook.off_reason, now - began) == (OffReason.FAILING, OFF_AFTER)
    assert len(receiver.received) == len(WAITS) + 1
    assert (tell_owners(now=now), tell_owners(now=now)) == (1, 0)
    (told,) = mail.outbox
    assert (told.to, webhook.application.name in told.body) == (["owner@example.org"], True)
    (noted,) = AuditEvent.objects.filter(action="api.switch_off_webhook")
    assert (noted.actor_label, noted.organisation_id) == ("BaRS portal", owner_organisation(webhook))
    # What happened meanwhile arrives once it is on again.
    happen(webhook.application.organisation)
    assert work(now) == []
    receiver.script(reply(200))
    services.switch_on(webhook=webhook, actor=SETUP, now=now)
    assert work(now) == ["200"]


def owner_organisation(webhook: Webhook) -> int:
    return webhook.application.organisation_id


def test_one_that_is_gone_is_switched_off_at_once(receiver: Server) -> None:
    webhook, _ = make_webhook(url=receiver.url)
    receiver.script(reply(410))
    happen(webhook.application.organisation, 2)
    assert work(datetime.now(UTC)) == ["410", "410"]
    webhook.refresh_from_db()
    assert webhook.off_reason == OffReason.GONE
    assert AuditEvent.objects.filter(action="api.switch_off_webhook").count() == 1
    assert work(datetime.now(UTC) + timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("found", "loopback", "expected"),
    [
        ("127.0.0.1", False, "address"),
        ("169.254.169.254", False, "address"),
        ("169.254.169.254", True, "address"),
        ("10.0.0.5", True, "address"),
        ("::ffff:169.254.169.254", True, "address"),
        (None, True, "name"),
    ],
)
def test_a_name_that_means_somebody_inside_is_not_gone_to(
    receiver: Server, settings: Any, found: str | None, loopback: bool, expected: str
) -> None:
    webhook, _ = make_webhook(url="https://receiver.example.org/in")
    settings.API_WEBHOOKS_TO_LOOPBACK = loopback
    happen(webhook.application.organisation)
    resolved = [] if found is None else [ip_address(found)]
    assert work(datetime.now(UTC), resolve=lambda _host, _port: resolved) == [expected]
    assert receiver.connections == set()


def test_down_slow_redirecting_and_lying_are_failures(receiver: Server) -> None:
    webhook, _ = make_webhook(url=receiver.url)
    release, now = threading.Event(), datetime.now(UTC)
    receiver.script(
        silence(release),
        reply(302, headers={"Location": "http://169.254.169.254/"}),
        raw(b"HTTP/1.1 200 OK\r\nContent-Le"),
        raw(b"not HTTP at all\r\n\r\n"),
    )
    happen(webhook.application.organisation)
    told = []
    for hours in range(4):
        told += work(now + timedelta(hours=hours), within_seconds=0.3)
    release.set()
    with serving() as gone:
        url = gone.url
    Webhook.objects.update(url=url)
    told += work(now + timedelta(hours=9))
    assert told == ["timeout", "302", "cut", "garbled", "connect"]
    assert len(receiver.received) == 4


# -- whoever dies, and whoever is late


def test_a_row_is_claimed_once_and_let_go_when_its_worker_is_lost(receiver: Server) -> None:
    webhook, _ = make_webhook(url=receiver.url)
    happen(webhook.application.organisation)
    number_events()
    now = datetime.now(UTC)
    deal(webhook.pk, now=now)
    (lost,) = claim(webhook.pk, now=now, most=5)
    assert claim(webhook.pk, now=now + LEASE - timedelta(seconds=1), most=5) == []
    assert work(now + LEASE) == ["204"]
    # The lost one comes back: what is settled stays.
    settle(lost, delivery.Outcome(None, "timeout", 1), now=now + LEASE)
    assert WebhookDelivery.objects.get().state == DeliveryState.DELIVERED


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_everything_once(receiver: Server) -> None:
    webhook, secret = make_webhook(url=receiver.url)
    events = happen(webhook.application.organisation, 40)
    workers = [WebhookRoom(every_seconds=0.02), WebhookRoom(every_seconds=0.02)]
    for each in workers:
        each.start()
    done = threading.Event()
    for _ in range(500):
        if WebhookDelivery.objects.filter(state=DeliveryState.DELIVERED).count() == len(events):
            break
        done.wait(0.02)
    for each in workers:
        each.stop()
    assert sorted(each.headers["webhook-id"] for each in receiver.received) == sorted(
        str(each.uid) for each in events
    )
    assert verified(receiver, secret)


# -- owners


def test_a_new_webhook_hears_of_what_happens_from_now_on(receiver: Server) -> None:
    application = make_application()
    happen(application.organisation, 3)
    number_events()
    make_webhook(url=receiver.url, application=application)
    happen(application.organisation)
    assert work(datetime.now(UTC)) == ["204"]
    assert body(receiver)["data"]["cursor"] == "4"


def test_both_secrets_sign_until_the_old_one_is_over(receiver: Server) -> None:
    webhook, old = make_webhook(url=receiver.url)
    now = datetime.now(UTC)
    new = services.rotate_secret(webhook=webhook, both_for=timedelta(minutes=3), actor=SETUP, now=now)
    assert old.encode() not in bytes(webhook.sealed_secret)
    happen(webhook.application.organisation)
    work(now)
    assert verified(receiver, old) == verified(receiver, new)
    webhook.refresh_from_db()
    assert secrets_of(webhook, now=now + timedelta(minutes=3)) == [new]
    with pytest.raises(BadWebhook):
        services.rotate_secret(webhook=webhook, both_for=timedelta(days=8), actor=SETUP, now=now)
    assert not {old, new} & set(str(list(AuditEvent.objects.values_list("detail", flat=True))).split("'"))


def test_a_range_is_sent_once_more_under_the_ids_that_it_had(receiver: Server) -> None:
    webhook, _ = make_webhook(url=receiver.url)
    happen(webhook.application.organisation, 4)
    now = datetime.now(UTC)
    work(now)
    first = {each.headers["webhook-id"] for each in receiver.received}
    again: dict[str, Any] = {"webhook": webhook, "actor": SETUP, "now": now}
    assert services.replay(after=1, until=3, **again) == 2
    assert work(now) == ["204", "204"]
    assert {each.headers["webhook-id"] for each in receiver.received[4:]} < first
    assert [body(receiver, number)["data"]["cursor"] for number in (4, 5)] == ["2", "3"]
    assert services.replay(after=3, until=1_000_000, **again) == 1
    EventStream.objects.update(forgotten=2)
    with pytest.raises(CursorGone):
        services.replay(after=1, until=3, **again)
    services.switch_off(reason=OffReason.OWNER, **again)
    with pytest.raises(PolicyRefused):
        services.replay(after=2, until=3, **again)


def test_a_test_is_delivered_like_any_other(receiver: Server) -> None:
    webhook, secret = make_webhook(url=receiver.url, types=["booking.booked"])
    now = datetime.now(UTC)
    made = services.send_test(webhook=webhook, actor=SETUP, now=now)
    assert work(now) == ["204"]
    said = verified(receiver, secret)
    assert (said["type"], said["data"]) == ("webhook.test", {"webhook": str(webhook.pk)})
    assert receiver.received[0].headers["webhook-id"] == str(made.pk)


def test_one_that_is_removed_is_silent_and_has_no_secret(receiver: Server) -> None:
    webhook, _ = make_webhook(url=receiver.url)
    happen(webhook.application.organisation)
    number_events()
    now = datetime.now(UTC)
    deal(webhook.pk, now=now)
    services.remove_webhook(webhook=webhook, actor=SETUP, now=now)
    assert work(now) == []
    webhook.refresh_from_db()
    assert (bytes(webhook.sealed_secret), WebhookDelivery.objects.get().state) == (b"", DeliveryState.FAILED)
    with pytest.raises(PolicyRefused):
        services.send_test(webhook=webhook, actor=SETUP, now=now)


# -- what is kept


def test_what_is_old_goes_in_its_order_and_readers_are_told(receiver: Server) -> None:
    webhook, _ = make_webhook(url=receiver.url)
    ours, now = webhook.application.organisation, datetime.now(UTC)
    for days in (100, 95, 10, 93):
        happen(ours, at=now - timedelta(days=days))
    assert work(now) == ["204"] * 4
    # The last one is as old, and stays behind the younger one.
    assert forget_events(now=now, batch=1) == 2
    assert list(Event.objects.order_by("position").values_list("position", flat=True)) == [3, 4]
    assert EventStream.objects.get().forgotten == 2
    assert WebhookDelivery.objects.count() == 2
    happen(ours)
    number_events()
    assert Event.objects.latest("id").position == 5
    assert forget_deliveries(now=now + timedelta(days=29)) == 0
    assert forget_deliveries(now=now + timedelta(days=31), batch=1) == 2
    assert not WebhookAttempt.objects.exists()
