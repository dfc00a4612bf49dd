"""Webhooks in the administration: by the same rules as in the API, of the own organisation, secrets once."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bars_portal.accounts.home import items_for
from bars_portal.accounts.models import Organisation
from bars_portal.accounts.permissions import Role
from bars_portal.api.models import Webhook, WebhookAttempt, WebhookDelivery
from bars_portal.api.webhooks.selectors import secrets_of
from tests.factories.accounts import confirm, make_acting, make_organisation, make_user
from tests.factories.api import make_application, make_webhook
from tests.integration.staff.acting import carry_out

pytestmark = pytest.mark.django_db
LIST, ADD = "admin:api_webhook_changelist", "admin:api_webhook_add"


@pytest.fixture
def ours() -> Organisation:
    return make_organisation()


@pytest.fixture
def engineer(ours: Organisation) -> Client:
    client = Client()
    client.force_login(make_user(role=Role.ENGINEER, organisation=ours))
    confirm(client)
    return client


def act(client: Client, action: str, *webhooks: Webhook) -> Any:
    return carry_out(client, reverse(LIST), action, [each.pk for each in webhooks])


def test_made_and_its_secret_shown_once(engineer: Client, ours: Organisation) -> None:
    application = make_application(organisation=ours)
    elsewhere = make_application()
    page = engineer.get(reverse(ADD)).content.decode()
    assert str(application.pk) in page
    assert str(elsewhere.pk) not in page
    typed = {"application": application.pk, "url": "https://hospital.example/in", "types": ["booking.booked"]}
    answer = engineer.post(reverse(ADD), typed | {"service_ids": "1, 2"})
    webhook = Webhook.objects.get()
    (secret,) = secrets_of(webhook, now=datetime.now(UTC))
    assert secret in answer.content.decode()
    assert (webhook.service_ids, webhook.types) == (["1", "2"], ["booking.booked"])
    shown = engineer.get(reverse("admin:api_webhook_change", args=[webhook.pk])).content.decode()
    assert "whsec_" not in shown
    changed = typed | {"url": "https://hospital.example/new", "service_ids": ""}
    engineer.post(reverse("admin:api_webhook_change", args=[webhook.pk]), changed)
    webhook.refresh_from_db()
    assert (webhook.url, webhook.service_ids) == ("https://hospital.example/new", [])
    assert secrets_of(webhook, now=datetime.now(UTC)) == [secret]


def test_what_cannot_be_is_said_beside_its_field(engineer: Client, ours: Organisation) -> None:
    application = make_application(organisation=ours, service_ids=["1"])
    typed = {"application": application.pk, "url": "https://10.0.0.1/", "service_ids": "7"}
    page = engineer.post(reverse(ADD), typed).content.decode()
    assert re.findall(r'errorlist[^>]*id="id_(\w+)_error"', page) == ["url", "service_ids"]
    assert not Webhook.objects.exists()


def test_switched_tested_given_a_new_secret_and_removed(engineer: Client, ours: Organisation) -> None:
    webhook, first = make_webhook(
        url="https://hospital.example/in", application=make_application(organisation=ours)
    )
    act(engineer, "send_tests", webhook)
    assert WebhookDelivery.objects.count() == 1
    act(engineer, "switch_off", webhook)
    assert "Switch it on first" in act(engineer, "send_tests", webhook).content.decode()
    act(engineer, "switch_on", webhook)
    answer = act(engineer, "new_secret", webhook).content.decode()
    new, old = secrets_of(Webhook.objects.get(), now=datetime.now(UTC))
    assert (old, new in answer, old in answer) == (first, True, False)
    act(engineer, "remove", webhook)
    assert "Removed" in engineer.get(reverse(LIST)).content.decode()
    assert not secrets_of(Webhook.objects.get(), now=datetime.now(UTC))


def test_the_log_shows_attempts_and_nothing_of_another_organisation(
    engineer: Client, ours: Organisation
) -> None:
    webhook, secret = make_webhook(
        url="https://hospital.example/in", application=make_application(organisation=ours)
    )
    theirs, _ = make_webhook(url="https://elsewhere.example/in")
    now = datetime.now(UTC)
    for each in (webhook, theirs):
        row = WebhookDelivery.objects.create(webhook=each, created_at=now, next_attempt_at=now)
        WebhookAttempt.objects.create(delivery=row, at=now, problem="address", elapsed_ms=17)
    listed = engineer.get(reverse("admin:api_webhookdelivery_changelist")).content.decode()
    assert ("hospital.example" in listed, "elsewhere.example" in listed) == (True, False)
    own = WebhookDelivery.objects.get(webhook=webhook)
    page = engineer.get(reverse("admin:api_webhookdelivery_change", args=[own.pk])).content.decode()
    assert ("address" in page, "17" in page, secret in page) == (True, True, False)
    act(engineer, "switch_off", theirs)
    assert Webhook.objects.get(pk=theirs.pk).off_at is None


def test_home_tells_of_one_that_switched_itself_off(ours: Organisation) -> None:
    acting, now = make_acting(role=Role.MANAGER, organisation=ours), datetime.now(UTC)
    webhook, _ = make_webhook(
        url="https://hospital.example/in", application=make_application(organisation=ours)
    )
    make_webhook(url="https://elsewhere.example/in")
    assert not [each for each in items_for(acting, now) if "webhook" in each.label]
    Webhook.objects.update(off_at=now, off_reason="failing")
    (item,) = [each for each in items_for(acting, now) if "webhook" in each.label]
    assert (item.count, item.url) == (1, reverse(LIST, query={"off": "itself"}))
    Webhook.objects.filter(pk=webhook.pk).update(off_reason="owner")
    assert not [each for each in items_for(acting, now) if "webhook" in each.label]
