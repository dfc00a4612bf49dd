"""What the issuer is asked and how; and which of its answers are none."""

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from bars_portal.accounts.cis2 import issuer
from bars_portal.accounts.cis2.issuer import Cis2Config, IssuerClient, Reason, SignInRefused
from bars_portal.accounts.cis2.sign_in import authorization_address, begin, end_address, redeem
from tests.unit.exchange_transport.servers import Server, Step, raw, reply, serving

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
OURS, THEIRS = (RSAKey.generate_key(2048, {"kid": kid}) for kid in ("ours", "theirs"))
BACK = "https://portal.example/accounts/cis2/callback/"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as served:
        yield served


@pytest.fixture
def config(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cis2Config:
    monkeypatch.setattr(issuer, "_kept", {})
    key = tmp_path / "key.pem"
    key.write_bytes(OURS.as_pem(private=True))
    return Cis2Config(server.url, "our-client", "KEY-1", str(key))


def answer(content: object) -> Step:
    return reply(200, json.dumps(content).encode())


def discovery(server: Server, **changes: Any) -> dict[str, Any]:
    names = ("authorization", "token", "userinfo", "end_session")
    addresses = {f"{name}_endpoint": f"{server.url}/{name}" for name in names}
    return {"issuer": server.url, "jwks_uri": f"{server.url}/keys", **addresses, **changes}


def known(server: Server, *steps: Step) -> None:
    """The issuer tells of itself, and then this."""
    keys = {"keys": [THEIRS.as_dict(private=False)]}
    server.script(answer(discovery(server)), answer(keys), *steps)


def refusal(config: Cis2Config) -> Reason:
    with pytest.raises(SignInRefused) as refused:
        authorization_address(config, begin({}, next_page="", now=NOW), back_to=BACK, now=NOW)
    return refused.value.reason


NO_ANSWERS: dict[str, Step] = {
    "redirect": reply(302, b"{}", {"Location": "/elsewhere"}),
    "error": reply(500),
    "empty": reply(204, b""),
    "no-json": reply(200, b"<html>"),
    "no-object": reply(200, b"[]"),
    "deep": reply(200, b"[" * 100_000),
    "too-large": reply(200, b"{" + b" " * 300_000 + b"}"),
    "hung-up": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"),
    "no-http": raw(b"\x00\x01"),
}


@pytest.mark.parametrize("step", NO_ANSWERS.values(), ids=NO_ANSWERS.keys())
def test_what_is_no_answer(server: Server, config: Cis2Config, step: Step) -> None:
    server.script(step)
    assert refusal(config) is Reason.UNREACHABLE
    assert len(server.received) == 1


def test_nobody_listens(config: Cis2Config) -> None:
    assert refusal(Cis2Config("http://127.0.0.1:9", "c", "k", "")) is Reason.UNREACHABLE
    assert refusal(Cis2Config("ftp://127.0.0.1", "c", "k", "")) is Reason.UNREACHABLE


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://another.example"},
        {"token_endpoint": None},
        {"userinfo_endpoint": "https://[::"},
        {"jwks_uri": "ftp://127.0.0.1/keys"},
        {"end_session_endpoint": 7},
    ],
    ids=["issuer", "missing", "no-address", "scheme", "end"],
)
def test_what_it_says_of_itself_must_fit(server: Server, config: Cis2Config, change: dict[str, Any]) -> None:
    server.script(answer(discovery(server, **change)))
    assert refusal(config) is Reason.UNREACHABLE


def test_no_proxy_from_outside(server: Server, config: Cis2Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    server.script(answer({"a": 1}))
    with IssuerClient() as client:
        assert client.get(server.url, auth=None).json() == {"a": 1}
    assert ("accept-encoding", "identity") in server.received[0].headers.items()


def test_an_answer_that_trickles(server: Server, config: Cis2Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuer, "_WHOLE_SECONDS", -1.0)
    server.script(answer({}))
    assert refusal(config) is Reason.UNREACHABLE


def test_the_way_there_and_the_way_out(server: Server, config: Cis2Config) -> None:
    known(server)
    attempt = begin({}, next_page="", now=NOW)
    asked = urlsplit(authorization_address(config, attempt, back_to=BACK, now=NOW))
    hashed = urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
    assert asked.path == "/authorization"
    assert parse_qs(asked.query) == {
        "response_type": ["code"],
        "client_id": ["our-client"],
        "redirect_uri": [BACK],
        "scope": [issuer.SCOPE],
        "state": [attempt.state],
        "nonce": [attempt.nonce],
        "code_challenge": [hashed],
        "code_challenge_method": ["S256"],
        "acr_values": ["AAL2_OR_AAL3_ANY"],
    }
    out = urlsplit(end_address(config, id_token="a.b.c", back_to=BACK, now=NOW))
    assert out.path == "/end_session"
    assert parse_qs(out.query)["post_logout_redirect_uri"] == [BACK]


def tokens(server: Server, said: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    claims = {"iss": server.url, "aud": "our-client", "sub": "555", "sid": "s1", "iat": AT, "exp": AT + 60}
    sure = {"acr": "AAL3_ANY", "authentication_assurance_level": "3", "id_assurance_level": "3"}
    whole = {**claims, **sure, "nonce": "n", **(said or {})}
    signed = jwt.encode({"alg": "RS256", "kid": "theirs"}, whole, THEIRS)
    return {"access_token": "opaque", "token_type": "Bearer", "expires_in": 5, "id_token": signed, **changes}


def redeemed(config: Cis2Config) -> Any:
    attempt = begin({}, next_page="", now=NOW)
    attempt = type(attempt)(**{**vars(attempt), "nonce": "n"})
    return attempt, redeem(config, attempt, code="the code", back_to=BACK, now=NOW)


def test_code_for_tokens_and_tokens_for_claims(server: Server, config: Cis2Config) -> None:
    known(server, answer(tokens(server)), answer({"sub": "555"}))
    attempt, signed_in = redeemed(config)
    assert (signed_in.person.subject, signed_in.sid) == ("555", "s1")
    *_, asked, looked = server.received
    form = dict(parse_qsl(asked.body.decode()))
    assertion = jwt.decode(form.pop("client_assertion"), OURS, algorithms=["RS512"])
    assert form == {
        "grant_type": "authorization_code",
        "code": "the code",
        "redirect_uri": BACK,
        "code_verifier": attempt.verifier,
        "client_id": "our-client",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }
    assert (assertion.header["kid"], assertion.header["typ"]) == ("KEY-1", "JWT")
    assert len(assertion.claims.pop("jti")) > 20
    who = {"iss": "our-client", "sub": "our-client", "aud": f"{server.url}/token"}
    assert assertion.claims == {**who, "iat": AT, "exp": AT + 120}
    assert (looked.target, looked.headers["authorization"]) == ("/userinfo", "Bearer opaque")
    assert "authorization" not in asked.headers


@pytest.mark.parametrize(
    ("change", "claims", "reason"),
    [
        ({"id_token": None}, {}, Reason.BAD_TOKEN),
        ({"access_token": None}, {}, Reason.BAD_TOKEN),
        ({"token_type": "mac"}, {}, Reason.BAD_TOKEN),
        ({"expires_in": "soon"}, {}, Reason.BAD_TOKEN),
        ({"error": "invalid_grant"}, {}, Reason.BAD_TOKEN),
        ({}, {"sub": "another"}, Reason.BAD_TOKEN),
        ({}, {}, Reason.BAD_TOKEN),
    ],
)
def test_tokens_that_are_not_believed(
    server: Server, config: Cis2Config, change: dict[str, Any], claims: dict[str, Any], reason: Reason
) -> None:
    known(server, answer(tokens(server, **change)), answer(claims))
    with pytest.raises(SignInRefused) as refused:
        redeemed(config)
    assert refused.value.reason is reason


@pytest.mark.parametrize(
    "said",
    [
        {"authentication_assurance_level": "1"},
        {"authentication_assurance_level": "1", "acr": "AAL3_ANY"},
        {"authentication_assurance_level": None, "acr": "AAL1_USERPASS"},
        {"authentication_assurance_level": None, "acr": None},
        {"authentication_assurance_level": "33", "acr": ""},
        {"authentication_assurance_level": True, "acr": "AAL"},
        {"id_assurance_level": "2"},
        {"id_assurance_level": None},
    ],
    ids=str,
)
def test_who_is_not_sure_enough_is_not_let_in(
    server: Server, config: Cis2Config, said: dict[str, Any]
) -> None:
    """Whatever was asked for: the issuer may answer with less."""
    known(server, answer(tokens(server, said)), answer({"sub": "555"}))
    with pytest.raises(SignInRefused) as refused:
        redeemed(config)
    assert refused.value.reason is Reason.LOW_ASSURANCE


@pytest.mark.parametrize(
    ("said", "userinfo"),
    [
        ({"authentication_assurance_level": 2}, {}),
        ({"authentication_assurance_level": None, "acr": "AAL2_OR_AAL3_ANY"}, {}),
        ({"id_assurance_level": None}, {"idassurancelevel": 3}),
    ],
    ids=["second level", "by acr", "told elsewhere"],
)
def test_who_is_sure_enough_comes_in(
    server: Server, config: Cis2Config, said: dict[str, Any], userinfo: dict[str, Any]
) -> None:
    known(server, answer(tokens(server, said)), answer({"sub": "555", **userinfo}))
    assert redeemed(config)[1].person.subject == "555"


@pytest.mark.parametrize("status", [302, 400, 401, 500])
def test_a_code_that_is_not_redeemed(server: Server, config: Cis2Config, status: int) -> None:
    known(server, reply(status, b'{"error": "invalid_grant"}'))
    with pytest.raises(SignInRefused) as refused:
        redeemed(config)
    assert refused.value.reason is Reason.UNREACHABLE
