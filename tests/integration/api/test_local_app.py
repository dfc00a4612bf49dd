"""docs/examples/local_app.py as it stands: it books over HTTP, and hears of it by webhook."""

import importlib.util
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from bars_portal.api.models import Webhook, WebhookDelivery
from bars_portal.api.services import create_secret
from bars_portal.api.webhooks.posting import headers_for, new_secret
from bars_portal.api.webhooks.rounds import WebhookRoom
from tests.factories.api import SETUP, make_application
from tests.integration.booking_pages.conftest import make_office
from tests.integration.bookings.loopback import Loopback

FILE = Path(__file__).parents[3] / "docs" / "examples" / "local_app.py"


@pytest.fixture
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("local_app", FILE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def worker(network: Loopback) -> Iterator[None]:
    """Sends messages, and webhooks."""
    over, rounds = threading.Event(), WebhookRoom(every_seconds=0.05)

    def send() -> None:
        try:
            while not over.wait(0.05):
                network.deliver_all()
        finally:
            connection.close()

    sender = threading.Thread(target=send)
    sender.start()
    rounds.start()
    try:
        yield
    finally:
        over.set()
        sender.join()
        rounds.stop()


@pytest.mark.django_db(transaction=True)
def test_it_books_and_hears_of_it(
    example: ModuleType,
    network: Loopback,
    live_server: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    office, application = make_office(network), make_application()
    monkeypatch.setenv("API_URL", live_server.url)
    monkeypatch.setenv("API_CLIENT_ID", application.client_id)
    secret = create_secret(application=application, actor=SETUP, now=datetime.now(UTC))
    monkeypatch.setenv("API_CLIENT_SECRET", secret)
    with worker(network):
        booking = example.main(office.service.service_id)
    assert booking["state"]["code"] == "booked"
    said = capsys.readouterr().out
    # Which event comes first is not promised. By the time that it reads what that names, it may be booked.
    heard = any(f"heard booking.{each}" in said for each in ("requested", "booked"))
    assert (heard, "The appointment is booked" in said) == (True, True)
    assert Webhook.objects.get().removed_at is not None
    assert WebhookDelivery.objects.exists()


def test_it_believes_only_what_is_signed_just_now_and_takes_each_once(example: ModuleType) -> None:
    receiver, now, secret = example.Receiver(), datetime.now(UTC), new_secret()
    receiver.secret, body = secret, b'{"type": "booking.booked"}'
    mine: dict[str, Any] = {"message_id": uuid4(), "now": now, "using": [secret]}
    try:
        genuine = headers_for(body, **mine)
        assert [receiver.take(genuine, body) for _ in range(2)] == [204, 204]
        assert receiver.events.qsize() == 1
        rotated = headers_for(body, **mine | {"message_id": uuid4(), "using": [new_secret(), secret]})
        assert receiver.take(rotated, body) == 204
        assert receiver.take(genuine, b'{"type": "booking.cancelled"}') == 401
        assert receiver.take(headers_for(body, **mine | {"using": [new_secret()]}), body) == 401
        stolen = headers_for(body, **mine | {"now": now - timedelta(minutes=6)})
        assert receiver.take(stolen, body) == 401
        assert receiver.take({**stolen, "webhook-timestamp": str(int(time.time()))}, body) == 401
        assert receiver.take({}, body) == 401
        assert receiver.events.qsize() == 2
    finally:
        receiver.server.shutdown()
        receiver.server.server_close()
