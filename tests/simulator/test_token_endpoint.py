"""POST /oauth2/token, against a real key and real signatures."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bars_portal.simulator.app import WsgiApp
from bars_portal.simulator.config import Config
from tests.simulator.support import (
    API_KEY,
    FORM,
    KEY_ID,
    NOW,
    TOKEN_URL,
    ask_token,
    call_app,
    form,
    sign,
)


def seconds(**ahead: float) -> int:
    return int((NOW + timedelta(**ahead)).timestamp())


def test_a_good_assertion_gets_a_token(app: WsgiApp, private_key: RSAPrivateKey) -> None:
    reply = ask_token(app, form(sign(private_key)))

    assert reply.status == 200
    assert reply.json.keys() == {"access_token", "expires_in", "token_type", "issued_at"}
    assert (reply.json["expires_in"], reply.json["token_type"]) == ("599", "Bearer")
    assert reply.json["issued_at"] == str(int(NOW.timestamp() * 1000))
    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("exp", [seconds(minutes=5), seconds(seconds=1), str(seconds(minutes=4))])
def test_expiry_may_be_up_to_five_minutes_ahead_and_a_string(
    app: WsgiApp, private_key: RSAPrivateKey, exp: int | str
) -> None:
    assert ask_token(app, form(sign(private_key, exp=exp))).status == 200


@pytest.mark.parametrize(
    ("claims", "status", "error"),
    [
        ({"iss": None}, 400, "invalid_request"),
        ({"sub": None}, 400, "invalid_request"),
        ({"sub": "another"}, 400, "invalid_request"),
        ({"iss": "stranger", "sub": "stranger"}, 401, "invalid_client"),
        ({"aud": None}, 401, "invalid_request"),
        ({"aud": "http://127.0.0.1:8010/oauth2"}, 401, "invalid_request"),
        ({"aud": [TOKEN_URL]}, 401, "invalid_request"),
        ({"exp": None}, 400, "invalid_request"),
        ({"exp": seconds(seconds=0)}, 400, "invalid_request"),
        ({"exp": seconds(seconds=-1)}, 400, "invalid_request"),
        ({"exp": seconds(minutes=5, seconds=1)}, 400, "invalid_request"),
        ({"exp": "soon"}, 400, "invalid_request"),
        ({"exp": True}, 400, "invalid_request"),
        ({"exp": 1e300}, 400, "invalid_request"),
        ({"jti": None}, 400, "invalid_request"),
        ({"jti": ""}, 400, "invalid_request"),
        ({"jti": 7}, 400, "invalid_request"),
    ],
)
def test_wrong_claims(
    app: WsgiApp, private_key: RSAPrivateKey, claims: dict[str, Any], status: int, error: str
) -> None:
    reply = ask_token(app, form(_signed_anyhow(private_key, claims)))

    assert (reply.status, reply.json["error"]) == (status, error)
    assert reply.json.keys() == {"error", "error_description", "message_id"}


def _signed_anyhow(private_key: RSAPrivateKey, claims: dict[str, Any]) -> str:
    """Like `sign`, for claims that PyJWT's encoder would refuse."""
    payload = jwt.decode(sign(private_key), options={"verify_signature": False}) | claims
    content = json.dumps({name: value for name, value in payload.items() if value is not None}).encode()
    return jwt.PyJWS().encode(content, private_key, algorithm="RS512", headers={"kid": KEY_ID})


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_assertion_type": None}, "invalid_request"),
        ({"client_assertion_type": "jwt"}, "invalid_request"),
        ({"client_assertion": None}, "invalid_request"),
        ({"client_assertion": ""}, "invalid_request"),
        ({"client_assertion": "not.a.jwt"}, "invalid_request"),
        ({"client_assertion": "a" * 100_000}, "invalid_request"),
        ({"client_assertion": "\x00\ufffd"}, "invalid_request"),
    ],
)
def test_wrong_form_fields(
    app: WsgiApp, private_key: RSAPrivateKey, changed: dict[str, str | None], error: str
) -> None:
    reply = ask_token(app, form(sign(private_key), **changed))

    assert (reply.status, reply.json["error"]) == (400, error)


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (b'{"grant_type": "client_credentials"}', "application/json"),
        (b"grant_type=client_credentials", "multipart/form-data"),
        (b"grant_type=client_credentials&grant_type=client_credentials", FORM),
        (b"a=1&" * 100, FORM),
        (b"\xff\xfe", FORM),
        (b"", FORM),
    ],
)
def test_wrong_encoding(app: WsgiApp, body: bytes, media: str) -> None:
    reply = ask_token(app, body, media)

    assert (reply.status, reply.json["error"]) == (400, "invalid_request")


@given(header=st.text(), payload=st.text(), signature=st.text(max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_assertion_is_refused_in_order(app: WsgiApp, header: str, payload: str, signature: str) -> None:
    parts = (
        base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in (header, payload, signature)
    )

    assert ask_token(app, form(".".join(parts))).status in {400, 401}


def test_a_key_that_is_not_registered(app: WsgiApp) -> None:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    reply = ask_token(app, form(sign(stranger)))

    assert (reply.status, reply.json["error"]) == (401, "public_key error")


@pytest.mark.parametrize(
    ("header", "status", "error"),
    [
        ({"kid": "Other-INT-1"}, 401, "public_key error"),
        ({}, 400, "invalid_request"),
        ({"kid": ""}, 400, "invalid_request"),
    ],
)
def test_wrong_key_id(
    app: WsgiApp, private_key: RSAPrivateKey, header: dict[str, str], status: int, error: str
) -> None:
    reply = ask_token(app, form(sign(private_key, header=header)))

    assert (reply.status, reply.json["error"]) == (status, error)


@pytest.mark.parametrize("algorithm", ["RS256", "PS512", "HS512", "none"])
def test_only_rs512(app: WsgiApp, private_key: RSAPrivateKey, algorithm: str) -> None:
    claims = jwt.decode(sign(private_key), options={"verify_signature": False})
    key: Any = {"HS512": "x" * 64, "none": None}.get(algorithm, private_key)

    reply = ask_token(app, form(jwt.encode(claims, key, algorithm=algorithm, headers={"kid": KEY_ID})))

    assert reply.status == 400
    assert "RS512" in reply.json["error_description"]


def test_an_assertion_id_is_good_once(app: WsgiApp, private_key: RSAPrivateKey) -> None:
    body = form(sign(private_key))

    assert [ask_token(app, body).status for _ in range(2)] == [200, 400]


def test_a_refused_assertion_does_not_use_up_its_id(app: WsgiApp, private_key: RSAPrivateKey) -> None:
    assert ask_token(app, form(sign(private_key, jti="one", aud="wrong"))).status == 401
    assert ask_token(app, form(sign(private_key, jti="one"))).status == 200


def test_of_64_requests_with_one_assertion_id_one_wins(app: WsgiApp, private_key: RSAPrivateKey) -> None:
    body = form(sign(private_key))

    with ThreadPoolExecutor(max_workers=64) as threads:
        statuses = list(threads.map(lambda _number: ask_token(app, body).status, range(64)))

    assert sorted(statuses) == [200] + [400] * 63


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_post(app: WsgiApp, method: str) -> None:
    reply = call_app(app, method, "/oauth2/token")

    assert (reply.status, reply.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"test-api-key": "sender.pem"}'])
def test_a_half_written_register_keeps_the_last_one(
    app: WsgiApp, config: Config, private_key: RSAPrivateKey, content: str
) -> None:
    assert ask_token(app, form(sign(private_key))).status == 200

    config.clients_file.write_text(content)

    assert ask_token(app, form(sign(private_key))).status == 200


def test_a_key_that_is_written_after_the_register_counts(
    app: WsgiApp, config: Config, tmp_path: Path, private_key: RSAPrivateKey
) -> None:
    config.clients_file.write_text(json.dumps({API_KEY: {KEY_ID: "late.pem"}}))
    assert ask_token(app, form(sign(private_key))).status == 401

    (tmp_path / "sender.pem").rename(tmp_path / "late.pem")

    assert ask_token(app, form(sign(private_key))).status == 200


def test_a_changed_register_counts_at_once(app: WsgiApp, config: Config, tmp_path: Path) -> None:
    new = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = new.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "rotated.pem").write_bytes(public)
    assert ask_token(app, form(sign(new, header={"kid": "New-INT-2"}))).status == 401

    config.clients_file.write_text(json.dumps({API_KEY: {"New-INT-2": "rotated.pem"}}))

    assert ask_token(app, form(sign(new, header={"kid": "New-INT-2"}))).status == 200


def test_every_token_is_its_own(app: WsgiApp, private_key: RSAPrivateKey) -> None:
    tokens = {ask_token(app, form(sign(private_key))).json["access_token"] for _ in range(5)}

    assert len(tokens) == 5
