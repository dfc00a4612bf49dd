"""A sending desk in front of our own receiver; and two organisations with the network between them."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from tests.integration.referrals.desk import AnsweringDesk, own_address
from tests.integration.referrals.sending import OWN_SERVICE_ID, Desk, make_desk
from tests.worlds import Kept, Worlds


@pytest.fixture(scope="module")
def kept_desk(worlds: Worlds, shared_dir: Path) -> Kept[AnsweringDesk]:
    return worlds.keep("kept_desk", lambda: AnsweringDesk(shared_dir))


@pytest.fixture
def desk(kept_desk: Kept[AnsweringDesk], db: None, settings: Any) -> AnsweringDesk:
    own_address(settings)
    return kept_desk.copy()


@pytest.fixture(scope="module")
def kept_sender(worlds: Worlds) -> Kept[Desk]:
    return worlds.keep("kept_sender", make_desk)


@pytest.fixture
def sender(kept_sender: Kept[Desk], db: None, settings: Any) -> Desk:
    settings.BARS = {**django_settings.BARS, "SERVICE_ID": OWN_SERVICE_ID}
    # Messages are delivered by the tests themselves.
    settings.CELERY_TASK_ALWAYS_EAGER = False
    return kept_sender.copy()
