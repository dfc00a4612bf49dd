"""The receiver in this process, with one hosted service and a free slot; and a partner to send to."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from bars_portal.exchange import tasks
from bookings.models import Slot
from tests.integration.exchange.calling import Receiver, hosted
from tests.integration.exchange.partner import Desk, Probe, registered
from tests.unit.exchange_transport.servers import serving
from tests.worlds import Kept, Worlds


@pytest.fixture
def receiver(settings: Any) -> Receiver:
    """BARS_PROCESS=receiver, without starting one."""
    settings.ROOT_URLCONF = "bars_portal.exchange.receiver.urls"
    settings.MIDDLEWARE = []
    settings.APPEND_SLASH = False
    return Receiver(Client(raise_request_exception=False))


@pytest.fixture(scope="module")
def kept_slot(worlds: Worlds) -> Kept[Slot]:
    return worlds.keep("kept_slot", hosted)


@pytest.fixture
def slot(kept_slot: Kept[Slot], db: None) -> Slot:
    return kept_slot.copy()


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    # The tests deliver by themselves.
    monkeypatch.setattr(tasks.deliver_message, "delay", lambda _: None)
    probe = Probe()
    with serving() as server, registered(probe):
        yield Desk(server, probe)
