"""Releasing the person after a few seconds (standard section 8): most answers come within them."""

import time

from referrals.models import Case
from referrals.presenters.confirming import is_waiting

PATIENCE_SECONDS = 4.0
_STEP_SECONDS = 0.1


def wait_for_case(case: Case, *, patience: float = PATIENCE_SECONDS) -> None:
    """Until the receiver has answered what was sent about it, or the patience ends."""
    deadline = time.monotonic() + patience
    while is_waiting(case) and time.monotonic() < deadline:
        time.sleep(_STEP_SECONDS)
        case.refresh_from_db()
