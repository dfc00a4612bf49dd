"""The mock CIS2 issuer: what it refuses, so that what the portal gets right is really asked for."""

import hashlib
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bars_portal.simulator.cis2.issuer import Issuer
from bars_portal.simulator.cis2.registry import CODE_LIFE
from bars_portal.simulator.wire import Answer, Request

URL, CLIENT, BACK = "http://issuer.test", "a-client", "http://portal.test/back/"
VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
ROLE = {"person_roleid": "1", "org_code": "Y00111", "role_code": "R8000", "role_name": "Clinician"}
ASKED = {
    **{"response_type": "code", "client_id": CLIENT, "redirect_uri": BACK, "scope": "openid profile"},
    **{"state": "st", "nonce": "no", "code_challenge": CHALLENGE, "code_challenge_method": "S256"},
}


class Clock:
    """The library that reads assertions asks the real one: this one only adds to it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Desk:
    """An application at the issuer."""

    def __init__(self, folder: Path, key: RSAPrivateKey) -> None:
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (folder / "client.pem").write_bytes(public)
        client = {"keys": {"K1": "client.pem"}, "redirect_uris": [BACK], "backchannel_logout_uri": ""}
        people = [{"sub": "555", "given_name": "Ann", "family_name": "Other", "roles": [ROLE]}]
        (folder / "cis2.json").write_text(json.dumps({"clients": {CLIENT: client}, "people": people}))
        self.clock, self.key = Clock(), key
        self.issuer = Issuer(public_url=URL, file=folder / "cis2.json", clock=self.clock)

    def ask(self, method: str, path: str, fields: dict[str, str] | None = None, **headers: str) -> Answer:
        sent = urlencode(fields or {})
        is_post = method == "POST"
        return self.issuer.answer(
            Request(
                method=method,
                raw_path=f"/cis2{path}",
                query="" if is_post else sent,
                headers={name.lower(): value for name, value in headers.items()},
                body=sent.encode() if is_post else b"",
                peer="127.0.0.1",
            )
        )

    def code(self, **changed: str) -> str:
        answer = self.ask("POST", "/authorize", {**ASKED, "chosen": "555 1", **changed})
        return parse_qs(urlsplit(answer.header("Location")).query)["code"][0]

    def assertion(self, *, key: RSAPrivateKey | None = None, kid: str = "K1", **changed: Any) -> str:
        now = int(datetime.now(UTC).timestamp())
        claims = {"iss": CLIENT, "sub": CLIENT, "aud": f"{URL}/cis2/token", "iat": now, "exp": now + 120}
        whole = {**claims, "jti": str(uuid4()), **changed}
        return jwt.encode(whole, key or self.key, algorithm="RS512", headers={"kid": kid})

    def redeem(self, code: str, **changed: str) -> Answer:
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        form = {
            **{"grant_type": "authorization_code", "code": code, "redirect_uri": BACK},
            **{"code_verifier": VERIFIER, "client_id": CLIENT, "client_assertion_type": kind},
            **{"client_assertion": self.assertion()},
        }
        return self.ask("POST", "/token", form | changed)


@pytest.fixture(scope="module")
def other_key() -> RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def desk(tmp_path: Path, private_key: RSAPrivateKey) -> Desk:
    return Desk(tmp_path, private_key)


def error_of(answer: Answer) -> tuple[int, str]:
    return answer.status, json.loads(answer.body)["error"]


def test_the_whole_way(desk: Desk) -> None:
    discovery = json.loads(desk.ask("GET", "/.well-known/openid-configuration").body)
    assert discovery["issuer"] == f"{URL}/cis2"
    tokens = json.loads(desk.redeem(desk.code()).body)
    keys = json.loads(desk.ask("GET", "/jwks").body)["keys"]
    claims = jwt.decode(
        tokens["id_token"], jwt.PyJWK(keys[0]), algorithms=["RS256"], audience=CLIENT, issuer=f"{URL}/cis2"
    )
    assert (claims["sub"], claims["nonce"]) == ("555", "no")
    said = json.loads(desk.ask("GET", "/userinfo", Authorization=f"Bearer {tokens['access_token']}").body)
    assert (said["nhsid_nrbac_roles"], said["selected_roleid"]) == ([ROLE], "1")
    assert "Ann Other" in desk.ask("GET", "/sessions").body.decode()


BAD_QUESTIONS = {
    "response-type": ({"response_type": "token"}, "unsupported_response_type"),
    "scope": ({"scope": "profile"}, "invalid_scope"),
    "no-state": ({"state": ""}, "invalid_request"),
    "no-nonce": ({"nonce": ""}, "invalid_request"),
    "no-pkce": ({"code_challenge": ""}, "invalid_request"),
    "plain-pkce": ({"code_challenge_method": "plain"}, "invalid_request"),
}


@pytest.mark.parametrize(("change", "error"), BAD_QUESTIONS.values(), ids=BAD_QUESTIONS.keys())
def test_a_bad_question_goes_back(desk: Desk, change: dict[str, str], error: str) -> None:
    answer = desk.ask("GET", "/authorize", ASKED | change)
    assert (answer.status, answer.header("Location").startswith(BACK)) == (303, True)
    assert parse_qs(urlsplit(answer.header("Location")).query)["error"] == [error]


@pytest.mark.parametrize(
    "change", [{"client_id": "another"}, {"redirect_uri": f"{BACK}x"}], ids=["who", "where"]
)
def test_nobody_is_sent_where_nobody_registered(desk: Desk, change: dict[str, str]) -> None:
    answer = desk.ask("GET", "/authorize", ASKED | change)
    assert (answer.status, answer.header("Location")) == (400, "")


@pytest.mark.parametrize("chosen", ["556 1", "555 2", ""])
def test_only_who_is_there_can_be_chosen(desk: Desk, chosen: str) -> None:
    answer = desk.ask("POST", "/authorize", {**ASKED, "chosen": chosen})
    assert "error=access_denied" in answer.header("Location")


@pytest.mark.parametrize(
    "change",
    [{"code_verifier": "w" * 43}, {"redirect_uri": f"{BACK}x"}],
    ids=["verifier", "address"],
)
def test_a_code_for_somebody_else(desk: Desk, change: dict[str, str]) -> None:
    assert error_of(desk.redeem(desk.code(), **change)) == (400, "invalid_grant")


def test_a_code_counts_once_and_for_a_minute(desk: Desk) -> None:
    code = desk.code()
    assert desk.redeem(code).status == 200
    assert error_of(desk.redeem(code)) == (400, "invalid_grant")
    assert error_of(desk.redeem("another")) == (400, "invalid_grant")
    late = desk.code()
    desk.clock.ahead = CODE_LIFE
    assert error_of(desk.redeem(late)) == (400, "invalid_grant")


BAD_ASSERTIONS: dict[str, dict[str, Any]] = {
    "audience": {"aud": "http://elsewhere.test"},
    "issuer": {"iss": "another"},
    "subject": {"sub": "another"},
    "expired": {"exp": 1},
    "too-long": {"exp": 4_000_000_000},
    "key-id": {"kid": "K2"},
}


@pytest.mark.parametrize("change", BAD_ASSERTIONS.values(), ids=BAD_ASSERTIONS.keys())
def test_an_assertion_that_is_wrong(desk: Desk, change: dict[str, Any]) -> None:
    answer = desk.redeem(desk.code(), client_assertion=desk.assertion(**change))
    assert error_of(answer) == (401, "invalid_client")


def test_an_assertion_of_another_key_and_one_that_was_used(desk: Desk, other_key: RSAPrivateKey) -> None:
    forged = desk.assertion(key=other_key)
    assert error_of(desk.redeem(desk.code(), client_assertion=forged)) == (401, "invalid_client")
    used = desk.assertion()
    assert desk.redeem(desk.code(), client_assertion=used).status == 200
    assert error_of(desk.redeem(desk.code(), client_assertion=used)) == (401, "invalid_client")


def test_userinfo_needs_a_live_token(desk: Desk) -> None:
    assert desk.ask("GET", "/userinfo", Authorization="Bearer nothing").status == 401
    tokens = json.loads(desk.redeem(desk.code()).body)
    desk.ask("GET", "/logout", {"id_token_hint": tokens["id_token"]})
    gone = desk.ask("GET", "/userinfo", Authorization=f"Bearer {tokens['access_token']}")
    assert gone.status == 401, "its session is over"
