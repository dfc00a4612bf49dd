"""The issuer's tokens, believed only when everything about them is right, and how sure it is of somebody.

Levels of assurance as CIS2 counts them: of authentication 1 (password) to 3 (smartcard and the like), of
identity 0 to 3.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError

from bars_portal.accounts.cis2.issuer import Cis2Config, Reason, SignInRefused, keys_of

# Public keys only: "none" and the algorithms of shared secrets are refused, whatever the token says.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256")
LEEWAY_SECONDS = 30
# How old a logout token may be, by its own "iat".
LOGOUT_SECONDS = 150
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_LEVELS = frozenset("0123")
# Of an `acr` such as AAL2_OR_AAL3_ANY only the least is certain.
_IN_ACR = re.compile(r"AAL([0-3])")


@dataclass(frozen=True)
class Ended:
    """A session of the issuer that is over: its `sid`, or every one of `subject` when "" is all there is."""

    sid: str
    subject: str


def read_id_token(
    token: str, config: Cis2Config, *, nonce: str, access_token: str, now: datetime
) -> Mapping[str, Any]:
    """Its claims (OpenID Connect Core section 3.1.3.7). Raises SignInRefused."""
    try:
        decoded = _decode(token, config, now)
        params = {"nonce": nonce, "client_id": config.client_id, "access_token": access_token}
        claims = CodeIDToken(decoded.claims, decoded.header, _expected(config), params)
        claims.validate(now=int(now.timestamp()), leeway=LEEWAY_SECONDS)
    except (JoseError, ValueError, TypeError):
        raise SignInRefused(Reason.BAD_TOKEN) from None
    return dict(claims)


def read_logout_token(token: str, config: Cis2Config, *, now: datetime) -> Ended:
    """Back-Channel Logout 1.0, section 2.6. Raises SignInRefused.

    Ids of used tokens are not kept: the same token again ends only what it has ended already.
    """
    try:
        decoded = _decode(token, config, now)
        registry = jwt.JWTClaimsRegistry(int(now.timestamp()), LEEWAY_SECONDS, **_expected(config))
        registry.validate(decoded.claims)
    except (JoseError, ValueError, TypeError):
        raise SignInRefused(Reason.BAD_TOKEN) from None
    claims = decoded.claims
    sid, subject = str(claims.get("sid") or ""), str(claims.get("sub") or "")
    events = claims.get("events")
    fresh = now.timestamp() - float(claims["iat"]) <= LOGOUT_SECONDS
    named = isinstance(events, dict) and LOGOUT_EVENT in events
    if not fresh or not named or "nonce" in claims or not (sid or subject):
        raise SignInRefused(Reason.BAD_TOKEN)
    return Ended(sid, subject)


def _decode(token: str, config: Cis2Config, now: datetime) -> jwt.Token:
    kid = str(jws.extract_compact(token.encode()).headers().get("kid", ""))
    return jwt.decode(token, keys_of(config.issuer, kid=kid, now=now), algorithms=list(ALGORITHMS))


def _expected(config: Cis2Config) -> dict[str, Any]:
    return {
        "iss": {"essential": True, "value": config.issuer},
        "aud": {"essential": True, "value": config.client_id},
        "iat": {"essential": True},
        "exp": {"essential": True},
    }


@dataclass(frozen=True)
class Assurance:
    """How they signed in, and how their identity was proven. What is not said counts as 0."""

    authentication: int
    identity: int

    def reaches(self, *, authentication: int, identity: int) -> bool:
        return self.authentication >= authentication and self.identity >= identity


def read_assurance(id_token: Mapping[str, Any], userinfo: Mapping[str, Any]) -> Assurance:
    """From the id token; the level of identity may stand in the userinfo, where it is named otherwise."""
    said = _level(id_token.get("authentication_assurance_level"))
    in_acr = [int(digit) for digit in _IN_ACR.findall(str(id_token.get("acr") or ""))]
    authentication = min(in_acr, default=0) if said is None else said
    identity = _level(id_token.get("id_assurance_level"))
    if identity is None:
        identity = _level(userinfo.get("idassurancelevel"))
    return Assurance(authentication, identity or 0)


def _level(value: object) -> int | None:
    """A whole number or its digit; None for anything else, also for what no level is."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value).strip()
    return int(text) if text in _LEVELS else None
