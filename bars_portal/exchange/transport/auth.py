"""The signed-JWT token of a sender (standard section 2): assertion, token request, token sources."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
from bars_portal.http import Answer, Client, Timeout, TransportError, send


class TokenRefused(TransportError):
    """The token endpoint gave no token, so the request itself was never sent.

    `error`, `description` and `message_id` are those of the endpoint's failure body (seed: onboarding), for
    support staff; they are attributes only, never part of the exception's text.
    """

    sent = False

    def __init__(self, error: str, description: str = "", message_id: str = "") -> None:
        super().__init__("token-refused")
        self.error, self.description, self.message_id = error, description, message_id


ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# The limit is 5 minutes by the endpoint's clock, which may be behind ours.
ASSERTION_LIFE = timedelta(minutes=5) - timedelta(seconds=30)
# When the answer does not say: half of the usual ten minutes.
DEFAULT_LIFE_SECONDS = 300
# All of a token request ends within this time, so that it is over before a renewal lease is.
REQUEST_SECONDS = 8.0
REQUEST_TIMEOUT = Timeout(connect=2.0, write=1.0, read=4.0, pool=1.0)

_JWT = re.compile(r"eyJ[\w-]+(?:\.[\w-]*)*")
_LONGEST_TEXT = 300


@dataclass(frozen=True)
class Token:
    """An access token and the moment (aware) from which it is no longer good; not shown by repr."""

    access_token: str
    expires_at: datetime

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


class NoToken:
    """The sandbox's TokenSource: no Authorization header at all."""

    def get(self, *, now: datetime) -> str:
        return ""

    def discard(self, token: str) -> None:
        return None


@dataclass(frozen=True)
class TokenEndpoint:
    """Where and as whom tokens are asked for; the parsed key is kept, as reading it takes 0.2 s."""

    http: Client
    url: str
    api_key: str
    key_id: str
    private_key_file: str
    new_jti: Callable[[], UUID] = uuid4

    @cached_property
    def private_key(self) -> RSAPrivateKey:
        return load_private_key(self.private_key_file)

    def request(self, *, now: datetime) -> Token:
        """Sign one assertion and exchange it for a token; raises TokenRefused."""
        assertion = sign_assertion(
            api_key=self.api_key,
            key_id=self.key_id,
            private_key=self.private_key,
            token_url=self.url,
            now=now,
            jti=self.new_jti(),
        )
        return fetch_token(self.http, token_url=self.url, assertion=assertion, now=now)


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
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }
    try:
        answer = send(
            http, "POST", token_url, form=form, timeout=REQUEST_TIMEOUT, within_seconds=REQUEST_SECONDS
        )
    except TransportError as error:
        # Whatever became of the token request, the message itself was never sent.
        raise TokenRefused(f"no-answer-{error.kind}") from None
    return _read_token(answer, now)


def _read_token(answer: Answer, now: datetime) -> Token:
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
    return Token(token, now + timedelta(seconds=_life_seconds(content.get("expires_in"))))


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
