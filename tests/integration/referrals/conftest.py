"""A sending desk in front of our own receiver; and two organisations with the network between them."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from tests.integration.referrals.desk import AnsweringDesk, own_address
from tests.integration.referrals.sending import OWN_SERVICE_ID, Desk, make_desk


@pytest.fixture
def desk(shared_dir: Path, settings: Any) -> AnsweringDesk:
    own_address(settings)
    return AnsweringDesk(shared_dir)


@pytest.fixture
def sender(db: None, settings: Any) -> Desk:
    settings.BARS = {**django_settings.BARS, "SERVICE_ID": OWN_SERVICE_ID}
    # Messages are delivered by the tests themselves.
    settings.CELERY_TASK_ALWAYS_EAGER = False
    return make_desk()
