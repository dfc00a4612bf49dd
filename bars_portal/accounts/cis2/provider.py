"""What the issuer says of itself (OpenID Connect Discovery 1.0), and its keys; both kept for a while."""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from bars_portal.accounts.cis2.fetching import FetchFailed, fetch

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
