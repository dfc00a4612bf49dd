"""When a case is past the time in which it was to be done."""

from datetime import UTC, datetime, timedelta

import pytest

from referrals.cases.states import CaseStatus
from referrals.cases.words import is_breached

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
OVER = {"refused", "completed", "rejected", "did-not-attend", "revoked", "entered-in-error"}


@pytest.mark.parametrize("status", CaseStatus, ids=str)
def test_only_what_is_not_over(status: CaseStatus) -> None:
    assert is_breached(status, NOW - timedelta(minutes=1), NOW) is (status not in OVER)
    assert not is_breached(status, NOW, NOW)
    assert not is_breached(status, None, NOW)
