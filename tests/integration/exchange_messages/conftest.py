"""The receiver in this process, as BARS_PROCESS=receiver sets it up, with a hub of every use case."""

from typing import Any

import pytest
from django.test import Client

from tests.integration.exchange.calling import Receiver, hosted
from tests.integration.exchange_messages.world import World, new_id
from tests.unit.exchange_fhir.samples import HUB


@pytest.fixture
def receiver(settings: Any) -> Receiver:
    settings.ROOT_URLCONF = "bars_portal.exchange.receiver.urls"
    settings.MIDDLEWARE = settings.RECEIVER_MIDDLEWARE
    settings.APPEND_SLASH = False
    return Receiver(Client(raise_request_exception=False))


@pytest.fixture
def world(db: None, receiver: Receiver) -> World:
    return World(receiver, hosted(HUB), new_id())
