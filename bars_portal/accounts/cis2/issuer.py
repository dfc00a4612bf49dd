"""NHS CIS2 as we know it: why it lets nobody in, who we are to it, its addresses and its keys."""

import json
import ssl
import threading
import warnings
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from time import monotonic
from typing import Any, Self

from authlib.deprecate import AuthlibDeprecationWarning
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from django.conf import settings
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

with warnings.catch_warnings():
    # authlib asks for httpx2; the portal has one HTTP client, which is httpx (docs/adr/0023).
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.integrations.httpx_client.oauth2_client import OAuth2Client, httpx2


class Reason(StrEnum):
    """The value goes into the audit trail; never a text of the other side."""

    STALE = "stale"
    DECLINED = "declined"
    UNREACHABLE = "unreachable"
    BAD_TOKEN = "bad-token"  # noqa: S105 - a word, no secret
    UNKNOWN_PERSON = "unknown-person"
    NO_ORGANISATION = "no-organisation"
    LOW_ASSURANCE = "low-assurance"
    NOT_AGAIN = "not-again"

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
    Reason.LOW_ASSURANCE: (
        "You signed in to NHS CIS2 in a way that is not safe enough for this portal. Sign in again with your "
        "smartcard, or with another way that NHS CIS2 offers for clinical systems."
    ),
    Reason.NOT_AGAIN: (
        "NHS CIS2 did not ask you to sign in again, or somebody else signed in. You are still signed in here "
        "and what you were doing was not done."
    ),
}


class SignInRefused(Exception):
    """The text is the machine word alone."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


SCOPE = "openid profile nationalrbacaccess selectedrole"
ASSERTION_ALGORITHM = "RS512"
ASSERTION_SECONDS = 120


@dataclass(frozen=True)
class Cis2Config:
    """Who we are to the issuer, whose name is compared byte for byte with what it says of itself."""

    issuer: str
    client_id: str
    key_id: str
    private_key_file: str
    # How people are asked to sign in, and how sure the issuer must be of them (cis2.tokens).
    acr_values: str = "AAL2_OR_AAL3_ANY"
    least_authentication: int = 2
    least_identity: int = 3

    def client(self, token_endpoint: str, *, now: datetime) -> "IssuerClient":
        """One that proves who we are by a signed assertion (private_key_jwt). Raises OSError, ValueError."""
        client = IssuerClient(
            self.client_id,
            client_secret=_key(self.private_key_file),
            token_endpoint_auth_method="private_key_jwt",  # noqa: S106 - the name of a method
        )
        issued = int(now.timestamp())
        times = {"iat": issued, "exp": issued + ASSERTION_SECONDS}
        header = {"kid": self.key_id, "typ": "JWT"}
        client.register_client_auth_method(PrivateKeyJWT(token_endpoint, times, header, ASSERTION_ALGORITHM))
        return client


def configured() -> Cis2Config | None:
    """From settings.CIS2; None: people sign in with a password only."""
    given = settings.CIS2
    if not given["ISSUER"]:
        return None
    return Cis2Config(
        issuer=given["ISSUER"],
        client_id=given["CLIENT_ID"],
        key_id=given["KEY_ID"],
        private_key_file=given["PRIVATE_KEY_FILE"],
        acr_values=given["ACR_VALUES"],
        least_authentication=given["LEAST_AUTHENTICATION_LEVEL"],
        least_identity=given["LEAST_IDENTITY_LEVEL"],
    )


@lru_cache(maxsize=2)
def _key(path: str) -> RSAKey:
    # Parsing a key is dear, and it changes with a restart only.
    return RSAKey.import_key(Path(path).read_text())


# Of each wait on the socket, and of the whole answer.
_WAIT_SECONDS, _WHOLE_SECONDS = 5.0, 10.0
_MAX_BYTES = 256 * 1024


class IssuerClient(OAuth2Client):  # type: ignore[misc]  # authlib has no types
    """authlib's own client: no redirects, no proxies from outside, answers bounded in time and size.

    Whatever is no JSON object with status 200 raises SignInRefused.
    """

    def __init__(self, client_id: str = "", **options: Any) -> None:
        super().__init__(
            client_id,
            scope=SCOPE,
            code_challenge_method="S256",
            timeout=_WAIT_SECONDS,
            trust_env=False,
            verify=_trusted(),
            # What is packed has no bound.
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            # An access token is used at once, however short its life.
            leeway=0,
            **options,
        )

    def send(self, request: Any, **options: Any) -> Any:
        """Each request comes through here. Raises SignInRefused."""
        try:
            with closing(super().send(request, **options | {"stream": True})) as response:
                body = _bounded(response)
            usable = response.status_code == 200 and isinstance(json.loads(body), dict)
        except (httpx2.HTTPError, httpx2.StreamError, ValueError, RecursionError):
            usable = False
        if not usable:
            raise SignInRefused(Reason.UNREACHABLE)
        return type(response)(200, content=body, request=response.request)


@cache
def _trusted() -> ssl.SSLContext:
    """The machine's authorities, read once."""
    return ssl.create_default_context()


def _bounded(response: Any) -> bytes:
    """Raises ValueError for an answer that is too large or too slow."""
    until, body = monotonic() + _WHOLE_SECONDS, b""
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > _MAX_BYTES or monotonic() > until:
            raise ValueError
    return body


KEPT_FOR = timedelta(hours=1)
# A key that we do not know makes us look again, but not for every forged token.
LOOK_AGAIN_AFTER = timedelta(seconds=30)
_PATH = "/.well-known/openid-configuration"
_NEEDED = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")


@dataclass(frozen=True)
class Provider:
    """What the issuer says of itself (OpenID Connect Discovery 1.0)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    # "" where the issuer has none.
    end_session_endpoint: str

    @classmethod
    def read(cls, document: dict[str, Any], issuer: str) -> Self:
        """Raises ValueError or InvalidURL: something is missing, another's, or less safe than the issuer."""
        ends = document.get("end_session_endpoint") or ""
        addresses = {name: document.get(name) for name in _NEEDED}
        scheme = httpx2.URL(issuer).scheme
        usable = all(
            isinstance(each, str) and httpx2.URL(each).scheme == scheme for each in addresses.values()
        )
        if document.get("issuer") != issuer or not usable or not isinstance(ends, str):
            raise ValueError
        found = {name: str(address) for name, address in addresses.items()}
        return cls(issuer=issuer, end_session_endpoint=ends, **found)


@dataclass(frozen=True)
class _Kept:
    provider: Provider
    keys: KeySet
    at: datetime


_lock = threading.Lock()
_kept: dict[str, _Kept] = {}


def provider_of(issuer: str, *, now: datetime) -> Provider:
    """Raises SignInRefused."""
    return _current(issuer, now).provider


def keys_of(issuer: str, *, kid: str, now: datetime) -> KeySet:
    """Fetched anew when `kid` is not among them, for the issuer changes its keys. Raises SignInRefused."""
    kept = _current(issuer, now)
    known = any(key.kid == kid for key in kept.keys.keys)
    if not known and now - kept.at >= LOOK_AGAIN_AFTER:
        kept = _fetch(issuer, now)
    return kept.keys


def _current(issuer: str, now: datetime) -> _Kept:
    with _lock:
        kept = _kept.get(issuer)
    return kept if kept is not None and now - kept.at < KEPT_FOR else _fetch(issuer, now)


def _fetch(issuer: str, now: datetime) -> _Kept:
    try:
        with IssuerClient() as client:
            said = client.get(issuer.rstrip("/") + _PATH, auth=None).json()
            provider = Provider.read(said, issuer)
            keys = KeySet.import_key_set(client.get(provider.jwks_uri, auth=None).json())
    except (JoseError, ValueError, KeyError, TypeError, httpx2.InvalidURL):
        raise SignInRefused(Reason.UNREACHABLE) from None
    with _lock:
        kept = _kept[issuer] = _Kept(provider, keys, now)
    return kept
