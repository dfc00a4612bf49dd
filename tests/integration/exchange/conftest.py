"""The receiver in this process, with one hosted service and a free slot; and a partner to send to."""

from typing import Any

import pytest
from django.test import Client

from bookings.models import Slot
from tests.integration.exchange.calling import Receiver, hosted


@pytest.fixture
def receiver(settings: Any) -> Receiver:
    """BARS_PROCESS=receiver, without starting one."""
    settings.ROOT_URLCONF = "bars_portal.receiver_urls"
    settings.MIDDLEWARE = []
    settings.APPEND_SLASH = False
    return Receiver(Client(raise_request_exception=False))


@pytest.fixture
def slot(db: None) -> Slot:
    return hosted()
