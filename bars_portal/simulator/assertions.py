"""Judges a client assertion: the signed JWT with which an application asks for a token.

Source: security-and-authorisation; testing-and-environments, "Generate a signed JWT using your private key".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import jwt

from bars_portal.simulator.clients import ClientRegistry, Keys

ALGORITHM = "RS512"
LONGEST_LIFE = timedelta(minutes=5)
# Signatures are PyJWT's; every other claim is judged here, against the injected clock and in our own words.
SIGNATURE_ONLY: Any = {
    f"verify_{claim}": claim == "signature"
    for claim in ("signature", "exp", "nbf", "iat", "aud", "iss", "sub", "jti")
}


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
