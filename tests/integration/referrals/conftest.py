"""Two organisations and the network between them."""

from pathlib import Path
from typing import Any

import pytest

from tests.integration.referrals.desk import AnsweringDesk, own_address


@pytest.fixture
def desk(shared_dir: Path, settings: Any) -> AnsweringDesk:
    own_address(settings)
    return AnsweringDesk(shared_dir)
