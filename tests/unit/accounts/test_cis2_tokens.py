"""Which tokens of the issuer are believed: one that is right in everything, and no other."""

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from bars_portal.accounts.cis2 import tokens
from bars_portal.accounts.cis2.issuer import Cis2Config, Reason, SignInRefused
from bars_portal.accounts.cis2.tokens import LOGOUT_EVENT, Ended, read_id_token, read_logout_token

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
CONFIG = Cis2Config("https://issuer.example", "our-client", "KEY-1", "/nowhere.pem")
THEIRS, ANOTHER = (RSAKey.generate_key(2048, {"kid": "theirs"}) for _ in range(2))
GOOD: dict[str, Any] = {
    **{"iss": CONFIG.issuer, "aud": CONFIG.client_id, "sub": "555", "sid": "one"},
    **{"iat": AT, "exp": AT + 300, "nonce": "asked"},
}
OVER: dict[str, Any] = {**GOOD, "jti": "1", "events": {LOGOUT_EVENT: {}}}
del OVER["nonce"]


@pytest.fixture(autouse=True)
def _published(monkeypatch: pytest.MonkeyPatch) -> None:
    public = KeySet.import_key_set({"keys": [THEIRS.as_dict(private=False)]})
    monkeypatch.setattr(tokens, "keys_of", lambda issuer, *, kid, now: public)


def signed(claims: dict[str, Any], *, key: RSAKey = THEIRS, alg: str = "RS256") -> str:
    return jwt.encode({"alg": alg, "kid": "theirs"}, claims, key, algorithms=[alg])


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def by_hand(alg: str, claims: dict[str, Any], signature: Callable[[bytes], bytes]) -> str:
    """What no library would sign."""
    head = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": alg, "kid": "theirs"}, claims))
    return f"{head}.{encoded(signature(head.encode()))}"


def by_shared_secret(claims: dict[str, Any]) -> str:
    """The public key taken for a secret: the old trick."""
    public = THEIRS.as_pem(private=False)
    return by_hand("HS256", claims, lambda head: hmac.digest(public, head, "sha256"))


def read(token: str) -> Any:
    return read_id_token(token, CONFIG, nonce="asked", access_token="opaque", now=NOW)


@pytest.mark.parametrize("alg", ["RS256", "RS512", "PS256"])
def test_a_good_token(alg: str) -> None:
    assert read(signed(GOOD, alg=alg))["sub"] == "555"
    assert read(signed({**GOOD, "aud": [CONFIG.client_id]}))["sid"] == "one"


BAD_CLAIMS: dict[str, dict[str, Any]] = {
    "wrong-nonce": {"nonce": "another"},
    "no-nonce": {"nonce": None},
    "wrong-audience": {"aud": "another-client"},
    "another-party": {"aud": ["another-client", CONFIG.client_id], "azp": "another-client"},
    "no-audience": {"aud": None},
    "wrong-issuer": {"iss": "https://issuer.example.evil"},
    "issuer-with-a-slash": {"iss": "https://issuer.example/"},
    "expired": {"exp": AT - 31},
    "no-expiry": {"exp": None},
    "from-the-future": {"iat": AT + 300},
    "no-subject": {"sub": None},
    "wrong-hash-of-the-access-token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


@pytest.mark.parametrize("change", BAD_CLAIMS.values(), ids=BAD_CLAIMS.keys())
def test_one_wrong_claim(change: dict[str, Any]) -> None:
    claims = {name: value for name, value in (GOOD | change).items() if value is not None}
    with pytest.raises(SignInRefused) as refused:
        read(signed(claims))
    assert refused.value.reason is Reason.BAD_TOKEN


FORGED: dict[str, Callable[[dict[str, Any]], str]] = {
    "alg-none": lambda claims: by_hand("none", claims, lambda _: b""),
    "shared-secret": by_shared_secret,
    "another-key": lambda claims: signed(claims, key=ANOTHER),
    "cut": lambda claims: signed(claims)[:-9],
    "changed": lambda claims: signed(claims).replace(".", ".e", 1),
    "empty": lambda _: "",
    "words": lambda _: "not a token",
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED.keys())
def test_a_forged_token(forge: Callable[[dict[str, Any]], str]) -> None:
    with pytest.raises(SignInRefused):
        read(forge(GOOD))
    with pytest.raises(SignInRefused):
        read_logout_token(forge(OVER), CONFIG, now=NOW)


def test_a_good_logout_token() -> None:
    assert read_logout_token(signed(OVER), CONFIG, now=NOW) == Ended("one", "555")
    nameless = {name: value for name, value in OVER.items() if name != "sid"}
    assert read_logout_token(signed(nameless), CONFIG, now=NOW) == Ended("", "555")


BAD_LOGOUTS: dict[str, dict[str, Any]] = {
    "an-id-token": {"events": None, "nonce": "asked"},
    "with-a-nonce": {"nonce": "asked"},
    "another-event": {"events": {"http://schemas.openid.net/event/other": {}}},
    "events-as-text": {"events": LOGOUT_EVENT},
    "nobody": {"sid": None, "sub": None},
    "old": {"iat": AT - 600},
    "no-time": {"iat": None},
    "wrong-audience": {"aud": "another-client"},
    "wrong-issuer": {"iss": "https://another.example"},
}


@pytest.mark.parametrize("change", BAD_LOGOUTS.values(), ids=BAD_LOGOUTS.keys())
def test_a_logout_token_that_is_not_believed(change: dict[str, Any]) -> None:
    claims = {name: value for name, value in (OVER | change).items() if value is not None}
    with pytest.raises(SignInRefused):
        read_logout_token(signed(claims), CONFIG, now=NOW)
