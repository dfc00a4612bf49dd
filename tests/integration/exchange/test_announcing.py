"""A broker that is frozen delays nothing but itself."""

import socket
from collections.abc import Iterator
from threading import Event
from time import monotonic

import pytest
from celery import Celery

from bars_portal.exchange import tasks
from bars_portal.settings.integrations import transport_options
from tests.integration.exchange.partner import Desk

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def frozen() -> Iterator[str]:
    """Takes connections, as the kernel does for a process that is stopped, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def _ignored(message_id: str) -> None:
    """A task that is never run."""


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_frozen_broker_delays_nobody(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, settings: pytest.FixtureRequest, frozen: str, scheme: str
) -> None:
    """Enqueueing returns at once; the one thread that waits for the broker gives it up after some seconds."""
    url = f"{scheme}://{frozen}/"
    elsewhere = Celery("elsewhere", broker=url, set_as_current=False)
    elsewhere.conf.broker_transport_options = transport_options(url)
    elsewhere.conf.update(task_publish_retry=False, broker_connection_timeout=2)
    settings.BROKER_IS_REMOTE = True  # type: ignore[attr-defined]  # pytest-django's settings
    told, tell = Event(), tasks._tell

    def telling(message_id: str) -> None:
        tell(message_id)
        told.set()

    monkeypatch.setattr(tasks, "deliver_message", elsewhere.task(_ignored))
    monkeypatch.setattr(tasks, "_tell", telling)
    monkeypatch.setattr(tasks, "_crier", tasks._Crier())
    began = monotonic()
    for _ in range(20):
        desk.enqueue()
    assert monotonic() - began < 1
    assert told.wait(12), "given up"
