"""The issuer's tokens, believed only when everything about them is right."""

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
