"""The receiver in this process, as BARS_PROCESS=receiver sets it up, with a hub of every use case."""

from typing import Any

import pytest
from django.test import Client

from bookings.models import Slot
from tests.integration.exchange.calling import Receiver, hosted
from tests.integration.exchange_messages.world import World, new_id
from tests.unit.exchange_fhir.samples import HUB
from tests.worlds import Kept, Worlds


@pytest.fixture
def receiver(settings: Any) -> Receiver:
    settings.ROOT_URLCONF = "bars_portal.exchange.receiver.urls"
    settings.MIDDLEWARE = settings.RECEIVER_MIDDLEWARE
    settings.APPEND_SLASH = False
    return Receiver(Client(raise_request_exception=False))


@pytest.fixture(scope="module")
def kept_slot(worlds: Worlds) -> Kept[Slot]:
    return worlds.keep("kept_slot", lambda: hosted(HUB))


@pytest.fixture
def world(kept_slot: Kept[Slot], db: None, receiver: Receiver) -> World:
    return World(receiver, kept_slot.copy(), new_id())
