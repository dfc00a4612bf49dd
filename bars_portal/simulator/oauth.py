"""POST /oauth2/token: a signed assertion in, an access token out.

Source: security-and-authorisation; testing-and-environments v1.8.1, "Generate a signed JWT using your
private key" and "Post your JWT to the OAuth endpoint to receive a Token".
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bars_portal.simulator.config import Clock, WatchedFile
from bars_portal.simulator.wire import FORM_MEDIA, Answer, Request, json_answer

Keys = Mapping[str, RSAPublicKey]
GRANT_TYPE = "client_credentials"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MOST_FIELDS = 20
# RFC 6749 section 5.1: an answer that holds a token is not cached.
NOT_CACHED = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))
ALGORITHM = "RS512"
LONGEST_LIFE = timedelta(minutes=5)
# Signatures are PyJWT's; every other claim is judged here, against the injected clock and in our own words.
SIGNATURE_ONLY: Any = {
    f"verify_{claim}": claim == "signature"
    for claim in ("signature", "exp", "nbf", "iat", "aud", "iss", "sub", "jti")
}
# The placeholder in the seeds' own curl example, which must work as it stands: good for the services that the
# simulator plays itself, never for a real receiver.
EXAMPLE_TOKEN = "yourBearerToken"  # noqa: S105 - published, opens nothing real
TOKEN_LIFE = timedelta(seconds=599)


class TokenError(Enum):
    """Every way the token endpoint says no: HTTP status, `error`, `error_description`."""

    NOT_A_FORM = (400, "invalid_request", "Content-Type must be application/x-www-form-urlencoded")
    REPEATED_FIELD = (400, "invalid_request", "A form field is given more than once")
    NO_GRANT_TYPE = (400, "invalid_request", "grant_type is missing")
    BAD_GRANT_TYPE = (400, "unsupported_grant_type", "grant_type is invalid")
    BAD_ASSERTION_TYPE = (
        400,
        "invalid_request",
        "Missing or invalid client_assertion_type"
        " - must be 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'",
    )
    NO_ASSERTION = (400, "invalid_request", "Missing client_assertion")
    MALFORMED = (400, "invalid_request", "Malformed JWT in client_assertion")
    BAD_ALGORITHM = (400, "invalid_request", "Invalid 'alg' header in client_assertion JWT - must be 'RS512'")
    NO_KID = (400, "invalid_request", "Missing 'kid' header in client_assertion JWT")
    ISS_SUB_DIFFER = (
        400,
        "invalid_request",
        "Missing or non-matching 'iss'/'sub' claims in client_assertion JWT",
    )
    UNKNOWN_CLIENT = (401, "invalid_client", "Invalid 'iss'/'sub' claims in client_assertion JWT")
    UNKNOWN_KID = (
        401,
        "public_key error",
        "You need to register a public key to use this authentication method"
        " - please contact support to configure",
    )
    BAD_SIGNATURE = (401, "public_key error", "JWT signature verification failed")
    BAD_AUDIENCE = (401, "invalid_request", "Missing or invalid 'aud' claim in client_assertion JWT")
    NO_EXPIRY = (400, "invalid_request", "Missing 'exp' claim in client_assertion JWT")
    BAD_EXPIRY = (400, "invalid_request", "Invalid 'exp' claim in client_assertion JWT - must be an integer")
    EXPIRED = (400, "invalid_request", "Invalid 'exp' claim in client_assertion JWT - JWT has expired")
    EXPIRY_TOO_FAR = (
        400,
        "invalid_request",
        "Invalid 'exp' claim in client_assertion JWT - more than 5 minutes in future",
    )
    NO_JTI = (400, "invalid_request", "Missing or invalid 'jti' claim in client_assertion JWT")
    JTI_REUSED = (400, "invalid_request", "Non-unique 'jti' claim in client_assertion JWT")

    @property
    def status(self) -> int:
        """HTTP status."""
        return self.value[0]

    @property
    def error(self) -> str:
        """The `error` member."""
        return self.value[1]

    @property
    def description(self) -> str:
        """The `error_description` member."""
        return self.value[2]


class TokenRefused(Exception):
    """No token for this request, and which rule says so."""

    def __init__(self, reason: TokenError) -> None:
        super().__init__(reason.name)
        self.reason = reason


class ClientRegistry:
    """clients.json, read again when it changes.

    Shape: {"<api key>": {"<kid>": "<public key PEM, relative to the file>"}}.
    """

    def __init__(self, path: Path) -> None:
        self._folder = path.parent
        self._file: WatchedFile[Mapping[str, Keys]] = WatchedFile(path, parse=self._parse, empty={})

    def keys_of(self, api_key: str) -> Keys | None:
        """The application's public keys by kid; None when the API key is not registered."""
        return self._file.read().get(api_key)

    def _parse(self, content: bytes) -> Mapping[str, Keys]:
        loaded = orjson.loads(content)
        if not isinstance(loaded, dict) or not all(isinstance(kids, dict) for kids in loaded.values()):
            raise ValueError("clients.json must map API keys to key ids to files")
        return {
            api_key: {kid: self._public_key(path) for kid, path in kids.items()}
            for api_key, kids in loaded.items()
        }

    def _public_key(self, path: str) -> RSAPublicKey:
        key = load_pem_public_key((self._folder / path).read_bytes())
        if not isinstance(key, RSAPublicKey):
            raise ValueError("a registered key is no RSA public key")  # noqa: TRY004 - WatchedFile hears it
        return key


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
            self._tokens = {key: kept for key, kept in self._tokens.items() if kept[1] > now.timestamp()}
            self._tokens[token] = (api_key, (now + TOKEN_LIFE).timestamp())
        return token

    def api_key_of(self, token: str, *, now: datetime) -> str | None:
        """Whose token it is; None when it is unknown or has expired."""
        with self._lock:
            api_key, until = self._tokens.get(token, ("", 0.0))
        return api_key if until > now.timestamp() else None


@dataclass(frozen=True, kw_only=True)
class TokenEndpoint:
    """Answers token requests; `token_url` is the only audience it accepts."""

    registry: ClientRegistry
    tokens: TokenStore
    token_url: str
    clock: Clock

    def answer(self, request: Request) -> Answer:
        """200 with the token, or the failure body with 400, 401 or 405."""
        if request.method != "POST":
            return json_answer(405, _failure("invalid_request", "Only POST is allowed"), ("Allow", "POST"))
        try:
            return self._issue(_assertion_of(request), self.clock())
        except TokenRefused as refusal:
            reason = refusal.reason
            answer = json_answer(reason.status, _failure(reason.error, reason.description), *NOT_CACHED)
            # For the journal, which keeps no body of a token request.
            return replace(answer, scenario=reason.description)

    def _issue(self, assertion: str, now: datetime) -> Answer:
        judged = judge_assertion(assertion, registry=self.registry, audience=self.token_url, now=now)
        # Claimed last, so that a faulty assertion does not use up its id.
        until = judged.expires_at
        if not self.tokens.claim_assertion(judged.api_key, judged.jti, expires_at=until, now=now):
            raise TokenRefused(TokenError.JTI_REUSED)
        content = {
            "access_token": self.tokens.issue(judged.api_key, now=now),
            "expires_in": str(int(TOKEN_LIFE.total_seconds())),
            "token_type": "Bearer",
            "issued_at": str(int(now.timestamp() * 1000)),
        }
        return json_answer(200, content, *NOT_CACHED)


def _assertion_of(request: Request) -> str:
    """The client_assertion of a well-formed form. Raises TokenRefused."""
    form = _form(request)
    if "grant_type" not in form:
        raise TokenRefused(TokenError.NO_GRANT_TYPE)
    if form["grant_type"] != GRANT_TYPE:
        raise TokenRefused(TokenError.BAD_GRANT_TYPE)
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise TokenRefused(TokenError.BAD_ASSERTION_TYPE)
    if not form.get("client_assertion"):
        raise TokenRefused(TokenError.NO_ASSERTION)
    return form["client_assertion"]


def _form(request: Request) -> dict[str, str]:
    if request.media != FORM_MEDIA:
        raise TokenRefused(TokenError.NOT_A_FORM)
    try:
        fields = parse_qs(request.body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as problem:
        raise TokenRefused(TokenError.NOT_A_FORM) from problem
    if any(len(values) > 1 for values in fields.values()):
        raise TokenRefused(TokenError.REPEATED_FIELD)
    return {name: values[0] for name, values in fields.items()}


def _failure(error: str, description: str) -> dict[str, str]:
    return {
        "error": error,
        "error_description": description,
        "message_id": f"rrt-{secrets.randbelow(10**19)}-sim-1",
    }


@dataclass(frozen=True)
class Assertion:
    """A judged assertion. `expires_at` is epoch seconds; whether `jti` is new is for the caller to claim."""

    api_key: str
    jti: str
    expires_at: int


def judge_assertion(token: str, *, registry: ClientRegistry, audience: str, now: datetime) -> Assertion:
    """Checks form, key, signature and claims, in that order. Raises TokenRefused."""
    kid = _kid(token)
    api_key = _api_key(_read(token, options={"verify_signature": False}))
    claims = _verified_claims(token, kid, registry.keys_of(api_key))
    if claims.get("aud") != audience:
        raise TokenRefused(TokenError.BAD_AUDIENCE)
    return Assertion(api_key, _jti(claims), _expiry(claims, now))


def _kid(token: str) -> str:
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError as problem:
        raise TokenRefused(TokenError.MALFORMED) from problem
    if header.get("alg") != ALGORITHM:
        raise TokenRefused(TokenError.BAD_ALGORITHM)
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise TokenRefused(TokenError.NO_KID)
    return kid


def _read(token: str, **how: Any) -> Mapping[str, Any]:
    try:
        return jwt.decode(token, **how)
    except jwt.InvalidSignatureError as problem:
        raise TokenRefused(TokenError.BAD_SIGNATURE) from problem
    except jwt.InvalidTokenError as problem:
        raise TokenRefused(TokenError.MALFORMED) from problem


def _api_key(claims: Mapping[str, Any]) -> str:
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or not issuer or claims.get("sub") != issuer:
        raise TokenRefused(TokenError.ISS_SUB_DIFFER)
    return issuer


def _verified_claims(token: str, kid: str, keys: Keys | None) -> Mapping[str, Any]:
    if keys is None:
        raise TokenRefused(TokenError.UNKNOWN_CLIENT)
    if kid not in keys:
        raise TokenRefused(TokenError.UNKNOWN_KID)
    return _read(token, key=keys[kid], algorithms=[ALGORITHM], options=SIGNATURE_ONLY)


def _jti(claims: Mapping[str, Any]) -> str:
    jti = claims.get("jti")
    if not isinstance(jti, str) or not jti.strip():
        raise TokenRefused(TokenError.NO_JTI)
    return jti


def _expiry(claims: Mapping[str, Any], now: datetime) -> int:
    if "exp" not in claims:
        raise TokenRefused(TokenError.NO_EXPIRY)
    expires_at = _whole_number(claims["exp"])
    if expires_at <= now.timestamp():
        raise TokenRefused(TokenError.EXPIRED)
    if expires_at > (now + LONGEST_LIFE).timestamp():
        raise TokenRefused(TokenError.EXPIRY_TOO_FAR)
    return expires_at


def _whole_number(value: object) -> int:
    # The seeds' own example writes exp as a string of digits.
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 12:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise TokenRefused(TokenError.BAD_EXPIRY)
