"""What the token endpoint remembers: the tokens it issued and the assertion ids it has seen."""

import secrets
from datetime import datetime, timedelta
from threading import Lock

# The placeholder in the seeds' own curl example, which must work as it stands: good for the services that the
# simulator plays itself, never for a real receiver.
EXAMPLE_TOKEN = "yourBearerToken"  # noqa: S105 - published, opens nothing real
TOKEN_LIFE = timedelta(seconds=599)


class TokenStore:
    """In memory and thread-safe, which is why the simulator runs as one worker process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._tokens: dict[str, tuple[str, float]] = {}
        self._used: dict[tuple[str, str], float] = {}

    def claim_assertion(self, api_key: str, jti: str, *, expires_at: float, now: datetime) -> bool:
        """True for the first caller with this id, False for every other until the assertion has expired."""
        with self._lock:
            self._used = {key: until for key, until in self._used.items() if until > now.timestamp()}
            if (api_key, jti) in self._used:
                return False
            self._used[api_key, jti] = expires_at
            return True

    def issue(self, api_key: str, *, now: datetime) -> str:
        """A new access token, good for TOKEN_LIFE."""
        token = secrets.token_urlsafe(21)
        with self._lock:
            self._tokens = {
                known: entry for known, entry in self._tokens.items() if entry[1] > now.timestamp()
            }
            self._tokens[token] = (api_key, (now + TOKEN_LIFE).timestamp())
        return token

    def api_key_of(self, token: str, *, now: datetime) -> str | None:
        """Whose token it is; None when it is unknown or has expired."""
        with self._lock:
            api_key, until = self._tokens.get(token, ("", 0.0))
        return api_key if until > now.timestamp() else None
