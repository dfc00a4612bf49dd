"""Assertion and token request, against a token endpoint on a real socket."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID, uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from bars_portal.exchange.transport.auth import (
    ASSERTION_TYPE,
    NoToken,
    Token,
    TokenEndpoint,
    TokenRefused,
    fetch_token,
    load_private_key,
    sign_assertion,
)
from tests.unit.exchange_transport.servers import Received, Server, raw, reply

NOW = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)
URL = "https://int.api.service.nhs.uk/oauth2/token"
# pragma: allowlist nextline secret - signed by nobody
ASSERTION = "eyJhbGciOiJSUzUxMiJ9.eyJpc3MiOiJrIn0.c2lnbmF0dXJl"


def test_the_assertion_is_what_the_standard_asks_for(private_key: rsa.RSAPrivateKey) -> None:
    jti = uuid4()
    assertion = sign_assertion(
        api_key="api", key_id="Us-INT-1", private_key=private_key, token_url=URL, now=NOW, jti=jti
    )
    assert jwt.get_unverified_header(assertion) == {"alg": "RS512", "typ": "JWT", "kid": "Us-INT-1"}
    claims = jwt.decode(
        assertion, private_key.public_key(), ["RS512"], audience=URL, options={"verify_exp": False}
    )
    expires = datetime.fromtimestamp(claims.pop("exp"), UTC)
    assert claims == {"iss": "api", "sub": "api", "aud": URL, "jti": str(jti)}
    assert timedelta(minutes=2) < expires - NOW < timedelta(minutes=4), "a minute is allowed for either way"


def test_the_endpoint_signs_with_a_new_jti_each_time_and_reads_its_key_once(
    server: Server, http: httpx.Client, key_file: Path, private_key: rsa.RSAPrivateKey
) -> None:
    server.script(reply(200, json.dumps({"access_token": "t", "expires_in": "599"}).encode()))
    endpoint = TokenEndpoint(http, f"{server.url}/oauth2/token", "api", "kid", str(key_file))
    assert endpoint.request(now=NOW) == Token("t", NOW + timedelta(seconds=599))
    key_file.unlink()
    endpoint.request(now=NOW)
    forms = [parse_qs(request.body.decode()) for request in server.received]
    assert [form["grant_type"] for form in forms] == [["client_credentials"]] * 2
    assert [form["client_assertion_type"] for form in forms] == [[ASSERTION_TYPE]] * 2
    jtis = {jwt.decode(f["client_assertion"][0], options={"verify_signature": False})["jti"] for f in forms}
    assert len(jtis) == 2
    assert all(UUID(jti) for jti in jtis)
    assert server.received[0].headers["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        ({"expires_in": "599", "token_type": "Bearer", "issued_at": "1690000000000"}, 599),
        ({"expires_in": 3600}, 3600),
        ({}, 300),
        ({"expires_in": "soon"}, 300),
        ({"expires_in": "-1"}, 300),
        ({"expires_in": None}, 300),
    ],
)
def test_expiry(server: Server, http: httpx.Client, answer: dict[str, object], seconds: int) -> None:
    server.script(reply(200, json.dumps({"access_token": "t", **answer}).encode()))
    token = fetch_token(http, token_url=server.url, assertion=ASSERTION, now=NOW)
    assert token.expires_at == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (
            401,
            {"error": "invalid_request", "error_description": "Invalid kid", "message_id": "rrt-1"},
            ("invalid_request", "Invalid kid", "rrt-1"),
        ),
        (
            400,
            {"error": "x", "error_description": f"bad assertion {ASSERTION}!"},
            ("x", "bad assertion [removed]!", ""),
        ),
        (500, {}, ("http-500", "", "")),
        (302, {"access_token": "t"}, ("http-302", "", "")),
        (401, {"error": ["list"], "message_id": 7}, ("http-401", "", "")),
        (200, {"expires_in": "599", "message_id": "m"}, ("no-access-token", "", "m")),
        (200, {"access_token": ""}, ("no-access-token", "", "")),
        (200, {"access_token": {"a": 1}}, ("no-access-token", "", "")),
        (200, {"access_token": "a\r\nX-Injected: b"}, ("no-access-token", "", "")),
        (200, {"access_token": "caf\u00e9"}, ("no-access-token", "", "")),
    ],
)
def test_refusals(
    server: Server, http: httpx.Client, status: int, body: object, expected: tuple[str, str, str]
) -> None:
    server.script(reply(status, json.dumps(body).encode(), {"Location": "/elsewhere"}))
    with pytest.raises(TokenRefused) as raised:
        fetch_token(http, token_url=server.url, assertion=ASSERTION, now=NOW)
    error = raised.value
    assert (error.error, error.description, error.message_id) == expected
    assert not error.sent
    assert str(error) == "TokenRefused: token-refused"
    assert len(server.received) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"text"', b"\xff"])
def test_answers_that_are_no_json_object(server: Server, http: httpx.Client, body: bytes) -> None:
    server.script(reply(200, body))
    with pytest.raises(TokenRefused, match="token-refused"):
        fetch_token(http, token_url=server.url, assertion=ASSERTION, now=NOW)


def test_a_lost_token_answer_means_that_the_message_was_not_sent(server: Server, http: httpx.Client) -> None:
    server.script(raw(b""))
    with pytest.raises(TokenRefused) as raised:
        fetch_token(http, token_url=server.url, assertion=ASSERTION, now=NOW)
    assert (raised.value.error, raised.value.sent) == ("no-answer-cut", False)


def encrypted(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"p"))


def elliptic(_: rsa.RSAPrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import NoEncryption

    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


@pytest.mark.parametrize("content", [encrypted, elliptic, lambda _: b"not a key", lambda _: None])
def test_unusable_keys(
    tmp_path: Path, private_key: rsa.RSAPrivateKey, content: Callable[[rsa.RSAPrivateKey], bytes | None]
) -> None:
    path, pem = tmp_path / "a-secret-place.pem", content(private_key)
    if pem is not None:
        path.write_bytes(pem)
    with pytest.raises(TokenRefused) as raised:
        load_private_key(path)
    assert raised.value.error == "unusable-private-key"
    assert not re.search("secret", repr(raised.value))


def test_tokens_do_not_show_themselves() -> None:
    assert "secret" not in repr(Token("secret", NOW))


def test_the_sandbox_needs_none() -> None:
    source = NoToken()
    source.discard("x")
    assert source.get(now=NOW) == ""


@pytest.mark.parametrize(("ahead", "asked"), [(0, 1), (60, 1), (-60, 1), (600, 2), (-600, 2)])
def test_a_clock_that_is_off(
    server: Server, http: httpx.Client, key_file: Path, ahead: int, asked: int
) -> None:
    """By the endpoint's clock an assertion has not expired, and expires within 5 minutes: else it is refused.

    A minute is allowed for beforehand; more is learnt from the Date of its refusal, and remembered.
    """
    theirs = NOW + timedelta(seconds=ahead)

    def judged(handler: BaseHTTPRequestHandler) -> None:
        good = 0 < claims_in(server.received[-1])["exp"] - theirs.timestamp() <= 300
        granted = {"access_token": "t", "expires_in": "599"}
        body = json.dumps(granted if good else {"error": "invalid_request"})
        handler.send_response_only(200 if good else 400)
        handler.send_header("Date", format_datetime(theirs, usegmt=True))
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body.encode())

    server.script(judged)
    endpoint = TokenEndpoint(http, server.url, "api", "Us-INT-1", str(key_file))
    token = endpoint.request(now=NOW)
    assert token.server_ahead == timedelta(seconds=ahead)
    assert token.expires_at == NOW + timedelta(seconds=599), "by our clock, which counts it down"
    assert len(server.received) == asked
    endpoint.request(now=NOW)
    assert len(server.received) == asked + 1
    ids = {claims_in(each)["jti"] for each in server.received}
    assert len(ids) == asked + 1, "never the same one twice"


def claims_in(received: Received) -> dict[str, Any]:
    assertion = parse_qs(received.body.decode())["client_assertion"][0]
    claims: dict[str, Any] = jwt.decode(assertion, options={"verify_signature": False})
    return claims
