"""The client that settings.BARS describes: one per process, with a token where one is needed."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pytest_django import Settings

from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.gateway.client import get_client, own_organisation
from bars_portal.exchange.gateway.senders import own_software
from bars_portal.exchange.transport.auth import TokenRefused
from bars_portal.exchange.transport.headers import OutgoingContext, Party, Software, encode_headers
from tests.factories.certificates import rsa_key
from tests.unit.exchange_transport.servers import Server, reply, serving


@pytest.fixture
def bars(settings: Settings) -> dict[str, str]:
    """The settings of this test, changed in place."""
    settings.BARS = {
        "ENVIRONMENT": "int",
        "BASE_URL": "http://127.0.0.1:9/FHIR/R4",
        "TOKEN_URL": "http://127.0.0.1:9/oauth2/token",
        "API_KEY": "api",
        "KEY_ID": "Us-INT-1",
        "PRIVATE_KEY_FILE": "nowhere.pem",
        "ODS_CODE": "A1001",
        "ORGANISATION_NAME": "Riverside",
        "SOFTWARE_IDENTIFIER": "portal-1",
        "SOFTWARE_NAME": "Portal",
        "SOFTWARE_VERSION": "1.2.3",
    }
    changed: dict[str, str] = settings.BARS
    return changed


def context() -> OutgoingContext:
    return OutgoingContext(uuid4(), uuid4(), ServiceID.parse("1"), own_organisation(), own_software())


def point_at(server: Server, bars: dict[str, str]) -> None:
    bars |= {"BASE_URL": f"{server.url}/FHIR/R4", "TOKEN_URL": f"{server.url}/oauth2/token"}


def test_all_threads_share_one_client_until_the_settings_change(bars: dict[str, str]) -> None:
    with ThreadPoolExecutor(8) as pool:
        clients = {pool.submit(get_client) for _ in range(8)}
        assert len({id(future.result()) for future in clients}) == 1
    first = get_client()
    bars["BASE_URL"] += "/other"
    assert get_client() is not first


def test_a_forked_child_builds_its_own(bars: dict[str, str]) -> None:
    parents = get_client()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, b"same" if get_client() is parents else b"own")
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        assert answer.read() == b"own"
    assert get_client() is parents


def test_the_sandbox_needs_no_token(bars: dict[str, str]) -> None:
    with serving() as server:
        server.script(reply())
        point_at(server, bars)
        bars["ENVIRONMENT"] = "sandbox"
        assert get_client().get("/metadata", context=context()).status == 200
    assert "authorization" not in server.received[0].headers


@pytest.mark.django_db
def test_two_calls_ask_for_one_token(bars: dict[str, str], tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    bars["PRIVATE_KEY_FILE"] = str(tmp_path / "key.pem")
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    Path(bars["PRIVATE_KEY_FILE"]).write_bytes(pem)
    with serving() as server:
        point_at(server, bars)
        server.script(reply(200, json.dumps({"access_token": "t", "expires_in": "599"}).encode()), reply())
        for _ in range(2):
            get_client().get("/Slot", context=context())
    assert [request.target for request in server.received] == [
        "/oauth2/token",
        "/FHIR/R4/Slot",
        "/FHIR/R4/Slot",
    ]
    assert {request.headers.get("authorization") for request in server.received[1:]} == {"Bearer t"}


@pytest.mark.django_db
def test_a_missing_key_is_a_refused_token_and_nothing_is_sent(bars: dict[str, str]) -> None:
    with pytest.raises(TokenRefused) as raised:
        get_client().get("/Slot", context=context())
    assert raised.value.error == "unusable-private-key"


def test_who_we_say_we_are(bars: dict[str, str]) -> None:
    assert own_software() == Software("portal-1", "Portal", "1.2.3")
    assert own_organisation() == Party("A1001", "Riverside")


@pytest.mark.django_db
def test_two_hundred_messages_go_out_while_the_key_rotates(bars: dict[str, str], tmp_path: Path) -> None:
    """Each with a token of its own. Registered is the old key, then both, then the new one alone."""
    old, new = "Us-INT-1", "Us-INT-2"
    files = {key_id: str(tmp_path / f"{key_id}.pem") for key_id in (old, new)}
    keys = {key_id: rsa_key(key_id) for key_id in files}
    for key_id, key in keys.items():
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        Path(files[key_id]).write_bytes(pem)
    registered, given, used = {old}, set[str](), list[str]()

    def step(handler: BaseHTTPRequestHandler) -> None:
        if not handler.path.endswith("/oauth2/token"):
            token = handler.headers.get("Authorization", "").removeprefix("Bearer ")
            reply(200 if token in given else 401)(handler)
            return
        asked = parse_qs(server.received[-1].body.decode())["client_assertion"][0]
        key_id = jwt.get_unverified_header(asked)["kid"]
        if key_id not in registered:
            words = {"error": "public_key error", "error_description": "You need to register a public key"}
            reply(401, json.dumps(words).encode())(handler)
            return
        jwt.decode(asked, keys[key_id].public_key(), algorithms=["RS512"], audience=bars["TOKEN_URL"])
        token = f"{key_id}-{len(given)}"
        given.add(token)
        used.append(key_id)
        reply(200, json.dumps({"access_token": token, "expires_in": "0"}).encode())(handler)

    with serving() as server:
        server.script(step)
        point_at(server, bars)
        bars |= {"PRIVATE_KEY_FILE": files[old], "NEXT_KEY_ID": new, "NEXT_PRIVATE_KEY_FILE": files[new]}
        answers = []
        for number in range(200):
            if number == 50:
                registered.add(new)
            elif number == 100:
                registered.remove(old)
            elif number == 150:
                bars |= {"KEY_ID": new, "PRIVATE_KEY_FILE": files[new]}
                bars |= {"NEXT_KEY_ID": "", "NEXT_PRIVATE_KEY_FILE": ""}
            headers = encode_headers(context())
            answers.append(get_client().post("/$process-message", body=b"{}", headers=headers).status)
    assert answers == [200] * 200
    assert used == [old] * 50 + [new] * 150
