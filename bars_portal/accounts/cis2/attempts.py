"""One sign-in under way: what the browser's session remembers until it comes back, once."""

from collections.abc import MutableMapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any

from authlib.common.security import generate_token
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from bars_portal.accounts.cis2.refusals import Reason, SignInRefused

LIFE = timedelta(minutes=10)
_KEY = "cis2_attempt"
_LENGTH = 43


@dataclass(frozen=True)
class Attempt:
    """`state` ties the answer to the browser, `nonce` the token to the question; `verifier` is of PKCE."""

    state: str
    nonce: str
    verifier: str
    next_page: str
    started_at: float

    @property
    def challenge(self) -> str:
        return str(create_s256_code_challenge(self.verifier))


def begin(session: MutableMapping[str, Any], *, next_page: str, now: datetime) -> Attempt:
    """A second one takes the place of the first."""
    state, nonce, verifier = (generate_token(_LENGTH) for _ in range(3))
    attempt = Attempt(state, nonce, verifier, next_page, now.timestamp())
    session[_KEY] = asdict(attempt)
    return attempt


def take(session: MutableMapping[str, Any], *, state: str, now: datetime) -> Attempt:
    """The attempt that this answer belongs to; it is used up, whatever comes of it. Raises SignInRefused."""
    held = session.pop(_KEY, None)
    if held is None:
        raise SignInRefused(Reason.STALE)
    attempt = Attempt(**held)
    is_old = now.timestamp() - attempt.started_at >= LIFE.total_seconds()
    if is_old or not compare_digest(attempt.state.encode(), state.encode()):
        raise SignInRefused(Reason.STALE)
    return attempt
