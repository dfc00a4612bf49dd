"""NHS CIS2 as we know it: who we are to it, what it says of itself, its keys, and why it lets nobody in."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import IO, Any
from urllib.error import URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from django.conf import settings
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

# Why somebody is not let in by NHS CIS2: a machine word for the trail, plain words for the person.


class Reason(StrEnum):
    """The value goes into the audit trail; never a text of the other side."""

    STALE = "stale"
    DECLINED = "declined"
    UNREACHABLE = "unreachable"
    BAD_TOKEN = "bad-token"  # noqa: S105 - a word, no secret
    UNKNOWN_PERSON = "unknown-person"
    NO_ORGANISATION = "no-organisation"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES: dict[Reason, str] = {
    Reason.STALE: "This sign-in was started too long ago, or in another window. Sign in again.",
    Reason.DECLINED: "NHS CIS2 did not sign you in. Try again, or sign in with your password.",
    Reason.UNREACHABLE: "NHS CIS2 does not answer now. Try again in a few minutes, or use your password.",
    Reason.BAD_TOKEN: (
        "The answer of NHS CIS2 could not be trusted, so you are not signed in. Tell your IT support."
    ),
    Reason.UNKNOWN_PERSON: (
        "NHS CIS2 knows you, but you have no account here yet. Ask the person who manages accounts in your "
        "organisation to link your account to NHS CIS2."
    ),
    Reason.NO_ORGANISATION: (
        "Your NHS CIS2 role is for an organisation that you do not act for here. Sign in again with another "
        "role, or ask the person who manages accounts in your organisation."
    ),
}


class SignInRefused(Exception):
    """The text is the machine word alone."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


# Who we are to NHS CIS2, from settings.CIS2; without an issuer it is switched off.


SCOPE = "openid profile nationalrbacaccess selectedrole"


@dataclass(frozen=True)
class Cis2Config:
    """`issuer` is compared byte for byte with what the issuer says of itself."""

    issuer: str
    client_id: str
    key_id: str
    private_key_file: str

    def private_key(self) -> RSAKey:
        """Raises OSError, and ValueError when it is no RSA key in PEM."""
        return _key(self.private_key_file)


def configured() -> Cis2Config | None:
    """None: people sign in with a password only."""
    given = settings.CIS2
    if not given["ISSUER"]:
        return None
    return Cis2Config(given["ISSUER"], given["CLIENT_ID"], given["KEY_ID"], given["PRIVATE_KEY_FILE"])


@lru_cache(maxsize=2)
def _key(path: str) -> RSAKey:
    # Parsing a key is dear, and it changes with a restart only.
    return RSAKey.import_key(Path(path).read_text())


# JSON from the issuer over HTTP: no redirects, no proxies from outside, bounded in time and size.
#
# The standard library, because httpx belongs to exchange.transport, a room above this one (ADR 0023).


# Of each wait on the socket, and of the whole answer.
_WAIT_SECONDS, _WHOLE_SECONDS = 5.0, 10.0
_MAX_BYTES = 256 * 1024
_CHUNK = 16 * 1024


class FetchFailed(Exception):
    """No usable answer. The text is a fixed word: never an address, a token or a body."""


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        return None


_opener = build_opener(ProxyHandler({}), _NoRedirects())


def fetch(url: str, *, form: Mapping[str, str] | None = None, token: str = "") -> dict[str, Any]:
    """GET, or POST with a form; the JSON object of a 200. Raises FetchFailed."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise FetchFailed("scheme")
    data = urlencode(form).encode() if form is not None else None
    request = Request(url, data=data, headers={"Accept": "application/json"})  # noqa: S310 - looked at above
    if token:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    try:
        with _opener.open(request, timeout=_WAIT_SECONDS) as answer:
            body = _bounded(answer)
    except (URLError, OSError, ValueError) as error:
        raise FetchFailed(type(error).__name__) from None
    return _object(body)


def _bounded(answer: IO[bytes]) -> bytes:
    until, body = monotonic() + _WHOLE_SECONDS, b""
    while chunk := answer.read(_CHUNK):
        body += chunk
        if len(body) > _MAX_BYTES or monotonic() > until:
            raise FetchFailed("too-large-or-slow")
    return body


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise FetchFailed("not-json") from None
    if not isinstance(found, dict):
        raise FetchFailed("not-json")
    return found


# What the issuer says of itself (OpenID Connect Discovery 1.0), and its keys; both kept for a while.


KEPT_FOR = timedelta(hours=1)
# A key that we do not know makes us look again, but not for every forged token.
LOOK_AGAIN_AFTER = timedelta(seconds=30)
_PATH = "/.well-known/openid-configuration"
_NEEDED = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")


@dataclass(frozen=True)
class Provider:
    """`end_session_endpoint` is "" where the issuer has none."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    end_session_endpoint: str


@dataclass(frozen=True)
class _Kept:
    provider: Provider
    keys: KeySet
    at: datetime


_lock = threading.Lock()
_kept: dict[str, _Kept] = {}


def provider_of(issuer: str, *, now: datetime) -> Provider:
    """Raises FetchFailed."""
    return _current(issuer, now).provider


def keys_of(issuer: str, *, kid: str, now: datetime) -> KeySet:
    """The issuer's keys, fetched anew when `kid` is not among them: keys are changed. Raises FetchFailed."""
    kept = _current(issuer, now)
    known = any(key.kid == kid for key in kept.keys.keys)
    if not known and now - kept.at >= LOOK_AGAIN_AFTER:
        kept = _fetch(issuer, now)
    return kept.keys


def forget() -> None:
    """Everything that is kept; for tests."""
    with _lock:
        _kept.clear()


def _current(issuer: str, now: datetime) -> _Kept:
    with _lock:
        kept = _kept.get(issuer)
    return kept if kept is not None and now - kept.at < KEPT_FOR else _fetch(issuer, now)


def _fetch(issuer: str, now: datetime) -> _Kept:
    provider = _read(fetch(issuer.rstrip("/") + _PATH), issuer)
    try:
        keys = KeySet.import_key_set(fetch(provider.jwks_uri))  # type: ignore[arg-type]  # judged by the call
    except (JoseError, ValueError, KeyError, TypeError):
        raise FetchFailed("keys") from None
    with _lock:
        kept = _kept[issuer] = _Kept(provider, keys, now)
    return kept


def _read(document: dict[str, Any], issuer: str) -> Provider:
    """What is missing, of another issuer, or less safe than the issuer's own address is refused."""
    ends = document.get("end_session_endpoint") or ""
    addresses = {name: document.get(name) for name in _NEEDED}
    scheme = urlsplit(issuer).scheme
    usable = all(isinstance(each, str) and urlsplit(each).scheme == scheme for each in addresses.values())
    if document.get("issuer") != issuer or not usable or not isinstance(ends, str):
        raise FetchFailed("discovery")
    found = {name: str(address) for name, address in addresses.items()}
    return Provider(issuer=issuer, end_session_endpoint=ends, **found)
