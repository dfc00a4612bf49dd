"""The signed-JWT token of a sender (standard section 2): assertion, token request, token sources."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Protocol
from uuid import UUID, uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.outcomes import OutcomeError
from bars_portal.http import Answer, Client, Timeout, TransportError, http_date, send


class TokenRefused(TransportError):
    """The token endpoint gave no token, so the request itself was never sent.

    `error`, `description` and `message_id` are those of the endpoint's failure body (seed: onboarding), for
    support staff; they are attributes only, never part of the exception's text.
    """

    sent = False

    def __init__(self, error: str, description: str = "", message_id: str = "") -> None:
        super().__init__("token-refused")
        self.error, self.description, self.message_id = error, description, message_id


class NoCredentials(TokenRefused):
    """The organisation has nothing to sign with: nobody was asked, nothing was sent. `error` says why."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.kind = "no-credentials"


ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# The limit is 5 minutes by the endpoint's clock, which may be a minute away from ours, either way.
ASSERTION_LIFE = timedelta(minutes=5) - timedelta(seconds=90)
# A difference of the clocks up to here is none: the Date of an answer is whole seconds, and was on its way.
CLOCK_TOLERANCE = timedelta(seconds=30)
# When the answer does not say: half of the usual ten minutes.
DEFAULT_LIFE_SECONDS = 300
# All of a token request ends within this time, so that it is over before a renewal lease is.
REQUEST_SECONDS = 8.0
REQUEST_TIMEOUT = Timeout(connect=2.0, write=1.0, read=4.0, pool=1.0)

_JWT = re.compile(r"eyJ[\w-]+(?:\.[\w-]*)*")
_LONGEST_TEXT = 300


@dataclass(frozen=True)
class Token:
    """An access token and the moment (aware) from which it is no longer good; not shown by repr.

    `server_ahead`: how far the endpoint's clock was ahead of ours; None when its answer had no Date.
    """

    access_token: str
    expires_at: datetime
    server_ahead: timedelta | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        return f"Token(expires_at={self.expires_at!r})"


class TokenSource(Protocol):
    """Hands out the current access token; shared by threads and, where it stores it, by processes."""

    def get(self, *, now: datetime) -> str:
        """The token to send, "" where none is needed; raises TokenRefused."""
        ...

    def discard(self, token: str) -> None:
        """Forget this token, which was answered with 401; does nothing when a newer one took its place."""
        ...


# The tokens of the organisation with this ODS code, and of no other. Raises NoCredentials.
TokensOf = Callable[[str], TokenSource]


class NoToken:
    """The sandbox's TokenSource: no Authorization header at all."""

    def get(self, *, now: datetime) -> str:
        return ""

    def discard(self, token: str) -> None:
        return None


@dataclass
class TokenEndpoint:
    """Where and as whom tokens are asked for; the parsed key is kept, as reading it takes 0.2 s.

    `server_ahead` is how far the endpoint's clock is ahead of ours, as its last answer said: assertions are
    dated by it.
    """

    http: Client
    url: str
    api_key: str
    key_id: str
    private_key_file: str
    new_jti: Callable[[], UUID] = uuid4
    server_ahead: timedelta = timedelta()

    @cached_property
    def private_key(self) -> RSAPrivateKey:
        return load_private_key(self.private_key_file)

    def request(self, *, now: datetime) -> Token:
        """Sign one assertion and exchange it for a token; raises TokenRefused.

        Refused by an endpoint whose clock turns out to be another than we thought, it is signed once more.
        """
        answer, was_new = self._ask(now)
        if answer.status in _MAY_BE_THE_CLOCK and was_new and answer.elapsed_ms < _QUICK_MS:
            answer, _ = self._ask(now)
        return read_token(answer, now)

    def _ask(self, now: datetime) -> tuple[Answer, bool]:
        """The answer, and whether its Date was news."""
        assertion = sign_assertion(
            api_key=self.api_key,
            key_id=self.key_id,
            private_key=self.private_key,
            token_url=self.url,
            now=now + self.server_ahead,
            jti=self.new_jti(),
        )
        answer = ask_for_token(self.http, token_url=self.url, assertion=assertion)
        ahead = server_ahead(answer, now=now)
        was_new = ahead is not None and abs(ahead - self.server_ahead) > CLOCK_TOLERANCE
        if ahead is not None and was_new:
            self.server_ahead = ahead if abs(ahead) > CLOCK_TOLERANCE else timedelta()
        return answer, was_new


# How an assertion is refused whose time is wrong.
_MAY_BE_THE_CLOCK = frozenset({400, 401, 403})
# Twice must not last longer than the lease of whoever renews the token.
_QUICK_MS = 1500


def server_ahead(answer: Answer, *, now: datetime) -> timedelta | None:
    """By the answer's Date; None without one that can be read."""
    date = http_date(answer.header("Date") or "")
    return None if date is None else date - now


def load_private_key(path: str | Path) -> RSAPrivateKey:
    """Read an RSA key from a PEM file without a passphrase; raises TokenRefused("unusable-private-key")."""
    try:
        key = load_pem_private_key(Path(path).read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        # Not chained: the cause may name the path or quote the file.
        raise TokenRefused("unusable-private-key") from None
    if not isinstance(key, RSAPrivateKey):
        raise TokenRefused("unusable-private-key")
    return key


def sign_assertion(
    *, api_key: str, key_id: str, private_key: RSAPrivateKey, token_url: str, now: datetime, jti: UUID
) -> str:
    """The client assertion: RS512, good for a little less than 5 minutes; `jti` must be new each time."""
    claims = {
        "iss": api_key,
        "sub": api_key,
        "aud": token_url,
        "jti": str(jti),
        "exp": int((now + ASSERTION_LIFE).timestamp()),
    }
    return jwt.encode(claims, private_key, algorithm="RS512", headers={"typ": "JWT", "kid": key_id})


def fetch_token(http: Client, *, token_url: str, assertion: str, now: datetime) -> Token:
    """Exchange the assertion for a token; raises TokenRefused, also when the endpoint cannot be reached."""
    return read_token(ask_for_token(http, token_url=token_url, assertion=assertion), now)


def ask_for_token(http: Client, *, token_url: str, assertion: str) -> Answer:
    """The endpoint's answer, whatever it says; raises TokenRefused when there is none."""
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }
    try:
        return send(
            http, "POST", token_url, form=form, timeout=REQUEST_TIMEOUT, within_seconds=REQUEST_SECONDS
        )
    except TransportError as error:
        # Whatever became of the token request, the message itself was never sent.
        raise TokenRefused(f"no-answer-{error.kind}") from None


def read_token(answer: Answer, now: datetime) -> Token:
    content = _content(answer.body)
    token = content.get("access_token")
    if answer.status != 200:
        raise TokenRefused(
            _safe(content.get("error")) or f"http-{answer.status}",
            _safe(content.get("error_description")),
            _safe(content.get("message_id")),
        )
    if not isinstance(token, str) or not _fits_a_header(token):
        raise TokenRefused("no-access-token", message_id=_safe(content.get("message_id")))
    expires_at = now + timedelta(seconds=_life_seconds(content.get("expires_in")))
    return Token(token, expires_at, server_ahead(answer, now=now))


def _content(body: bytes) -> Mapping[str, object]:
    try:
        return json.loads(body)
    except OutcomeError:
        return {}


def _life_seconds(expires_in: object) -> int:
    """The endpoint writes the number of seconds as text ("599")."""
    text = str(expires_in).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else DEFAULT_LIFE_SECONDS


def _fits_a_header(token: str) -> bool:
    return bool(token) and token.isascii() and token.isprintable() and " " not in token


def _safe(value: object) -> str:
    """Text of the failure body, cut to a length, without anything that looks like our assertion."""
    return _JWT.sub("[removed]", value)[:_LONGEST_TEXT] if isinstance(value, str) else ""
