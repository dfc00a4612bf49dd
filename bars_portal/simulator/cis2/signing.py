"""The issuer's key and what it signs; the applications' assertions that it checks (RFC 7523)."""

import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from bars_portal.simulator.cis2.registry import Client

ALGORITHM = "RS256"
TOKEN_SECONDS = 300
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
ASSERTION_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256"]
LONGEST_ASSERTION = timedelta(minutes=5)
_SECONDS = 5.0


class Signer:
    """A new key at each start: who keeps the old one asks for /jwks again."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._kid = f"simulator-{secrets.token_hex(4)}"

    def jwks(self) -> dict[str, Any]:
        public = json.loads(RSAAlgorithm.to_jwk(self._key.public_key()))
        return {"keys": [{**public, "kid": self._kid, "use": "sig", "alg": ALGORITHM}]}

    def sign(self, claims: Mapping[str, Any], *, audience: str, now: datetime, typ: str = "JWT") -> str:
        """With issuer, audience and times added."""
        issued = int(now.timestamp())
        whole = {"iss": self._issuer, "aud": audience, "iat": issued, "exp": issued + TOKEN_SECONDS, **claims}
        return jwt.encode(whole, self._key, algorithm=ALGORITHM, headers={"kid": self._kid, "typ": typ})

    def logout_token(self, *, sub: str, sid: str, audience: str, now: datetime) -> str:
        claims = {"sub": sub, "sid": sid, "jti": secrets.token_hex(16), "events": {LOGOUT_EVENT: {}}}
        return self.sign(claims, audience=audience, now=now, typ="logout+jwt")

    def audience_of(self, token: str) -> tuple[str, str]:
        """Client id and sid of an id token of ours, however old; ("", "") when it is not."""
        options: Any = {"verify_exp": False, "verify_aud": False}
        try:
            claims = jwt.decode(token, self._key.public_key(), algorithms=[ALGORITHM], options=options)
        except jwt.InvalidTokenError:
            return "", ""
        return str(claims["aud"]), str(claims.get("sid", ""))


def assertion_id(assertion: str, *, client: Client, audiences: frozenset[str], now: datetime) -> str:
    """The jti of a good assertion of the client; "" for any other."""
    try:
        key = client.keys.get(str(jwt.get_unverified_header(assertion).get("kid")))
        if key is None:
            return ""
        claims = jwt.decode(
            assertion,
            key.decode(),
            algorithms=ASSERTION_ALGORITHMS,
            audience=audiences,
            issuer=client.client_id,
            options={"require": ["exp", "iat", "jti", "sub"]},
        )
    except (jwt.InvalidTokenError, ValueError):
        return ""
    too_long = claims["exp"] > (now + LONGEST_ASSERTION).timestamp()
    return "" if too_long or claims["sub"] != client.client_id else str(claims["jti"])


def tell(address: str, logout_token: str) -> str:
    """The status that came back, or "no answer"."""
    try:
        answer = httpx.post(address, data={"logout_token": logout_token}, timeout=_SECONDS, trust_env=False)
    except httpx.HTTPError:
        return "no answer"
    return str(answer.status_code)
