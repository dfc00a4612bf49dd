"""Events and webhooks through the API: every verb, every refusal, and nothing of anybody else."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.api.events import number_events
from bars_portal.api.models import EventStream, Webhook, WebhookAttempt, WebhookDelivery
from bars_portal.api.operations import Scope
from bars_portal.api.webhooks import services
from bars_portal.api.webhooks.delivery import deal
from bars_portal.api.webhooks.selectors import secrets_of
from bars_portal.api.webhooks.services import BadWebhook
from tests.factories.api import SETUP, happen, make_application, make_webhook
from tests.integration.api.conftest import Calls, World

pytestmark = pytest.mark.django_db
NO_SERVICE_IDS = ("", "\u0000", "9" * 21, "x", "\u0663")
NEW = {"url": "https://hospital.example/in", "types": ["booking.booked"], "services": ["2000099999"]}


def made(calls: Calls) -> Any:
    answer = calls.post("webhooks", NEW)
    assert answer.status_code == 201, answer.content
    return answer.json()


# -- events


def test_a_booking_and_its_cancellation_are_told_in_order(world: World) -> None:
    booking = world.booked()
    number_events()
    seen = world.calls.get("events").json()
    assert [each["type"] for each in seen["items"]] == ["booking.requested", "booking.booked"]
    assert {each["data"]["id"] for each in seen["items"]} == {booking["id"]}
    assert seen["items"][0]["data"]["organisation"] == world.calls.application.organisation.ods_code
    assert (seen["cursor"], seen["has_more"]) == ("2", False)
    world.calls.post(f"bookings/{booking['id']}/cancel", {"reason": "patient"})
    world.network.deliver_all()
    number_events()
    later = world.calls.get("events", {"after": seen["cursor"]}).json()
    assert [each["type"] for each in later["items"]] == ["booking.cancelling", "booking.cancelled"]
    text = str(seen) + str(later)
    assert not [value for value in ("Quill", "9449306621", "1945", "LS1", "07700") if value in text]
    # The service's own organisation hears of what it received, by its own count.
    theirs = Calls(make_application(organisation=world.service.provider))
    heard = theirs.get("events").json()["items"]
    assert [(each["type"], each["data"]["direction"]) for each in heard] == [
        ("booking.booked", "received"),
        ("booking.cancelled", "received"),
    ]


def test_pages_of_events(calls: Calls) -> None:
    ours = calls.application.organisation
    happen(ours, 3)
    happen(ours, type="booking.cancelled", service_id="7")
    number_events()
    first = calls.get("events", {"limit": 2}).json()
    assert (len(first["items"]), first["cursor"], first["has_more"]) == (2, "2", True)
    rest = calls.get("events", {"after": "2", "limit": 2}).json()
    assert (len(rest["items"]), rest["cursor"], rest["has_more"]) == (2, "4", False)
    nothing = calls.get("events", {"after": "4"}).json()
    assert nothing == {"items": [], "cursor": "4", "has_more": False}
    assert calls.get("events", {"after": "latest"}).json() == nothing
    typed = calls.get("events", {"type": ["booking.cancelled", "booking.refused"]}).json()
    assert [each["data"]["cursor"] for each in typed["items"]] == ["4"]
    assert calls.get("events", {"service": "7"}).json()["items"] == typed["items"]
    EventStream.objects.update(forgotten=2)
    gone = calls.get("events", {"after": "1"})
    assert (gone.status_code, gone.json()["type"].rsplit("/", 2)[1]) == (410, "cursor-gone")


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        ((Scope.BOOKINGS_READ,), ["booking.booked"]),
        ((Scope.REFERRALS_READ,), ["referral.sent"]),
        ((Scope.WORKLIST_READ,), ["booking.booked", "referral.received"]),
        ((Scope.SLOTS_READ,), []),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_a_token_shows_what_its_scopes_let_it_read(scopes: tuple[Scope, ...], expected: list[str]) -> None:
    calls = Calls(make_application(), scopes)
    ours = calls.application.organisation
    happen(ours, needs="bookings.view_sent_bookings")
    happen(ours, needs="bookings.view_received_bookings", direction="received")
    happen(ours, needs="referrals.view_sent_referrals", type="referral.sent")
    happen(ours, needs="referrals.view_received_referrals", type="referral.received")
    number_events()
    assert [each["type"] for each in calls.get("events").json()["items"]] == expected


@pytest.mark.parametrize(
    "params",
    [
        {"after": "-1"},
        {"after": "9" * 19},
        {"after": "\u0663"},
        {"after": ""},
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "x"},
        {"type": "booking.lost"},
        {"since": "3"},
        {"after": ["1", "2"]},
    ],
    ids=str,
)
def test_parameters_that_cannot_be_are_told(calls: Calls, params: dict[str, Any]) -> None:
    answer = calls.get("events", params)
    assert (answer.status_code, len(answer.json()["errors"])) == (400, 1)


# -- webhooks


def test_made_read_changed_switched_and_removed(calls: Calls) -> None:
    webhook = made(calls)
    assert webhook["secret"].startswith("whsec_")
    read = calls.get(f"webhooks/{webhook['id']}")
    assert read.json() == {name: value for name, value in webhook.items() if name != "secret"}
    assert calls.get("webhooks").json()["items"] == [read.json()]
    changed = calls.post(
        f"webhooks/{webhook['id']}/change", {"types": []}, if_match=read["ETag"], key="change-1"
    )
    assert (changed.status_code, changed.json()["types"], changed.json()["url"]) == (200, [], NEW["url"])
    late = calls.post(f"webhooks/{webhook['id']}/change", {"types": []}, if_match=read["ETag"])
    assert late.status_code == 412
    off = calls.post(f"webhooks/{webhook['id']}/switch-off", {}).json()
    assert (off["is_on"], off["off_reason"]) == (False, "owner")
    assert calls.post(f"webhooks/{webhook['id']}/test", {}).status_code == 409
    assert calls.post(f"webhooks/{webhook['id']}/switch-on", {}).json()["is_on"] is True
    rotated = calls.post(f"webhooks/{webhook['id']}/rotate-secret", {"both_for_hours": 1}).json()
    assert rotated["secret"] != webhook["secret"]
    assert rotated["old_secret_until"] is not None
    row = Webhook.objects.get()
    assert secrets_of(row, now=datetime.now(UTC)) == [rotated["secret"], webhook["secret"]]
    assert calls.post(f"webhooks/{webhook['id']}/remove", {}).json()["is_on"] is False
    assert calls.get(f"webhooks/{webhook['id']}").status_code == 404
    assert calls.get("webhooks").json() == {"items": []}


def test_what_is_repeated_is_made_once_and_answered_the_same(calls: Calls) -> None:
    first = calls.post("webhooks", NEW, key="one")
    again = calls.post("webhooks", NEW, key="one")
    assert (first.status_code, again.status_code, first.content) == (201, 201, again.content)
    assert Webhook.objects.count() == 1
    test = calls.post(f"webhooks/{first.json()['id']}/test", {}, key="two")
    assert test.content == calls.post(f"webhooks/{first.json()['id']}/test", {}, key="two").content
    assert (test.status_code, WebhookDelivery.objects.count()) == (202, 1)


def test_a_replay_is_counted(calls: Calls) -> None:
    webhook = made(calls)
    happen(calls.application.organisation, 3)
    number_events()
    deal(Webhook.objects.get().pk, now=datetime.now(UTC))
    answer = calls.post(f"webhooks/{webhook['id']}/replay", {"after": "1", "until": "9"})
    assert (answer.status_code, answer.json()) == (202, {"deliveries": 2})
    far = calls.post(f"webhooks/{webhook['id']}/replay", {"after": "1", "until": 9})
    assert (far.status_code, far.json()["errors"][0]["pointer"]) == (422, "/until")


def test_the_log_of_deliveries_goes_on_by_pages_and_holds_no_secret(calls: Calls) -> None:
    webhook = made(calls)
    row, now = Webhook.objects.get(), datetime.now(UTC)
    happen(calls.application.organisation, 3)
    number_events()
    deal(row.pk, now=now)
    for number, each in enumerate(WebhookDelivery.objects.order_by("event_id")):
        WebhookDelivery.objects.filter(pk=each.pk).update(created_at=now - timedelta(minutes=number))
    newest = WebhookDelivery.objects.latest("created_at")
    WebhookAttempt.objects.create(delivery=newest, at=now, problem="address", elapsed_ms=3)
    page = calls.get(f"webhooks/{webhook['id']}/deliveries", {"limit": 2}).json()
    assert [each["cursor"] for each in page["items"]] == ["1", "2"]
    assert page["items"][0]["attempts"][0]["problem"] == "address"
    rest = calls.get(page["next"].split("/api/v1/")[1]).json()
    assert ([each["cursor"] for each in rest["items"]], rest["next"]) == (["3"], None)
    assert webhook["secret"] not in str(page) + str(rest)


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/url"]),
        ([], [""]),
        ({"url": 3, "types": "booking.booked", "services": [1]}, ["/services", "/types", "/url"]),
        ({"url": "http://10.0.0.1/", "types": ["x"], "port": 1}, ["/port"]),
        ({"url": "http://10.0.0.1/", "types": ["x"]}, ["/types", "/url"]),
        ({"url": "https://a.example/", "types": ["booking.booked", "\u0000"]}, ["/types"]),
        *(({"url": "https://a.example/", "services": ["1", each]}, ["/services"]) for each in NO_SERVICE_IDS),
    ],
    ids=str,
)
def test_every_fault_of_a_body_is_told_at_once(calls: Calls, body: Any, pointers: list[str]) -> None:
    answer = calls.post("webhooks", body)
    assert answer.status_code == 422, answer.content
    assert sorted(each["pointer"] for each in answer.json()["errors"]) == pointers
    assert not Webhook.objects.exists()


def test_another_application_and_one_without_the_scope_see_nothing(calls: Calls) -> None:
    webhook = made(calls)
    beside = Calls(make_application(organisation=calls.application.organisation))
    elsewhere = Calls(make_application())
    scopeless = Calls(calls.application, tuple(each for each in Scope if each is not Scope.WEBHOOKS_MANAGE))
    verbs = ("change", "rotate-secret", "switch-on", "switch-off", "remove", "test", "replay")
    for who, status in ((beside, 404), (elsewhere, 404), (scopeless, 403)):
        assert who.get(f"webhooks/{webhook['id']}").status_code == status
        assert who.get(f"webhooks/{webhook['id']}/deliveries").status_code == status
        for verb in verbs:
            assert who.post(f"webhooks/{webhook['id']}/{verb}", {}).status_code == status, verb
    assert beside.get("webhooks").json() == {"items": []}
    assert calls.get(f"webhooks/{uuid4()}").status_code == 404
    assert Webhook.objects.get().off_at is None


def test_what_cannot_be_is_told_at_once_for_every_field(settings: Any) -> None:
    settings.API_WEBHOOKS_TO_LOOPBACK = False
    application = make_application(service_ids=["1"])
    with pytest.raises(BadWebhook) as bad:
        make_webhook(
            url="https://127.0.0.1/", application=application, types=["booking.lost"], service_ids=["2"]
        )
    assert sorted(bad.value.faults) == ["service_ids", "types", "url"]


def test_an_application_has_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST_OF_ONE", 1)
    webhook, _ = make_webhook(url="https://example.org/")
    with pytest.raises(PolicyRefused):
        make_webhook(url="https://example.org/", application=webhook.application)
    services.remove_webhook(webhook=webhook, actor=SETUP, now=datetime.now(UTC))
    make_webhook(url="https://example.org/", application=webhook.application)
