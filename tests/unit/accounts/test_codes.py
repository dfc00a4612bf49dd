"""One-time codes by time: RFC 6238's own vectors, how far a clock may be off, and recovery codes."""

from datetime import UTC, datetime, timedelta

import pytest

from bars_portal.accounts.second_factor import proofs
from bars_portal.accounts.sessions import device_words
from tests.factories.accounts import code_at

RFC_SECRET = b"12345678901234567890"


# Appendix B gives 8 digits; an app shows the last 6.
@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_the_published_vectors(seconds: int, code: str) -> None:
    now = datetime.fromtimestamp(seconds, UTC)
    assert code_at(RFC_SECRET, now) == code
    assert proofs.period_of(RFC_SECRET, f" {code[:3]} {code[3:]}", now=now) == seconds // 30


@pytest.mark.parametrize(("off", "counts"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_a_clock_may_be_one_period_off(off: int, counts: bool) -> None:
    now = datetime(2026, 11, 30, 16, tzinfo=UTC)
    code = code_at(RFC_SECRET, now + timedelta(seconds=off))
    assert (proofs.period_of(RFC_SECRET, code, now=now) is not None) is counts


@pytest.mark.parametrize("typed", ["", "0", "٠٨١٨٠٤", "081804081804", "nothing"])
def test_what_is_no_code_is_none(typed: str) -> None:
    assert proofs.period_of(RFC_SECRET, typed, now=datetime.fromtimestamp(1111111109, UTC)) is None


def test_recovery_codes_are_told_apart_however_they_are_typed() -> None:
    shown = proofs.new_recovery_codes()
    assert len({proofs.recovery_digest(each) for each in shown}) == proofs.RECOVERY_CODES
    assert proofs.recovery_digest(shown[0].lower().replace("-", " ")) == proofs.recovery_digest(shown[0])


CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (CHROME, "Chrome on Windows"),
        (f"{CHROME} Edg/131.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Safari/604.1", "Safari on iPhone"),
        ("<script>", "Another browser"),
    ],
)
def test_a_browser_in_words(header: str, words: str) -> None:
    assert device_words(header) == words
