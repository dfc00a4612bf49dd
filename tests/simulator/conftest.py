"""A simulator per test: its own files, a clock that stands, a recording receiver. No Django, no database.

And `world`: one real process for the session, for whoever asks it over HTTP.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bars_portal.simulator.app import WsgiApp, create_app
from bars_portal.simulator.cis2 import issuer
from bars_portal.simulator.config import Config
from tests.simulator.program import Sender, route, running
from tests.simulator.support import (
    API_KEY,
    IDS,
    KEY_ID,
    PUBLIC_URL,
    SYSTEM,
    FakeClock,
    Recorder,
    Reply,
    ask_token,
    call_app,
    form,
    sign,
    target,
)
from tests.simulator.tls_receiver import TlsReceiver, tls_receiver, write_certificates

CallProxy = Callable[..., Reply]
# The service that replies go to.
REQUESTER = "2000088001"


@pytest.fixture(scope="session")
def private_key() -> RSAPrivateKey:
    """The registered application's key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(autouse=True)
def one_issuer_key(private_key: RSAPrivateKey, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key of two thousand bits for each simulator would cost more than all that is tested with it."""
    monkeypatch.setattr(issuer, "rsa", SimpleNamespace(generate_private_key=lambda **_: private_key))


@pytest.fixture
def config(tmp_path: Path, private_key: RSAPrivateKey) -> Config:
    """Files as the demo's launcher writes them; the certificate files are made by the tests that need TLS."""
    return configured(tmp_path, private_key)


def configured(tmp_path: Path, private_key: RSAPrivateKey) -> Config:
    """A configuration with its files in a folder."""
    public = private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "sender.pem").write_bytes(public)
    (tmp_path / "clients.json").write_text(json.dumps({API_KEY: {KEY_ID: "sender.pem"}}))
    routes = {"2000099001": "https://receiver.test/FHIR/R4/", "2000072489": "simulator:tkw"}
    (tmp_path / "catalogue.json").write_text(json.dumps({"NHSD-Target-Identifier": {SYSTEM: routes}}))
    return Config(
        host="127.0.0.1",
        port=8010,
        public_url=PUBLIC_URL,
        state_dir=tmp_path,
        ca_file=tmp_path / "ca-chain.pem",
        client_cert_file=tmp_path / "proxy-client.pem",
        client_key_file=tmp_path / "proxy-client.key",
        clients_file=tmp_path / "clients.json",
        catalogue_file=tmp_path / "catalogue.json",
    )


@dataclass(frozen=True)
class World:
    """One simulator process for the whole session, a sender in front, a receiver behind mutual TLS."""

    sender: Sender
    receiver: TlsReceiver
    url: str


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory, private_key: RSAPrivateKey) -> Iterator[World]:
    """The receiver is service REQUESTER; replies come after a tenth of a second."""
    folder = tmp_path_factory.mktemp("world")
    config = configured(folder, private_key)
    authority, _stranger = write_certificates(folder)
    authority.private_key_pem.write_to_path(folder / "ca.key")
    with (
        tls_receiver(authority, authority) as receiver,
        running(config, "--reply-delay=0.1", f"--ca-key={folder / 'ca.key'}") as (_process, url),
        httpx.Client(base_url=url, trust_env=False, timeout=15) as http,
    ):
        route(config, {REQUESTER: receiver.url})
        yield World(Sender.signed_in(http, private_key), receiver, url)


@pytest.fixture
def clock() -> FakeClock:
    """The simulator's clock."""
    return FakeClock()


@pytest.fixture
def receiver() -> Recorder:
    """Stands in for the receivers behind mutual TLS."""
    return Recorder()


@pytest.fixture
def waits() -> list[float]:
    """How long drills waited, in seconds."""
    return []


@pytest.fixture
def app(config: Config, clock: FakeClock, receiver: Recorder, waits: list[float]) -> WsgiApp:
    """The simulator, with the recording receiver and without real waiting."""
    return create_app(config, clock=clock, sleep=waits.append, https=receiver)


@pytest.fixture
def token(app: WsgiApp, private_key: RSAPrivateKey) -> str:
    """A good access token."""
    granted = ask_token(app, form(sign(private_key)))
    return str(granted.json["access_token"])


@pytest.fixture
def proxy(app: WsgiApp, token: str) -> CallProxy:
    """Calls the proxy as a good sender; headers given as None are left out."""

    def call(
        method: str,
        path: str,
        *,
        service: str = "2000099001",
        headers: dict[str, str | None] | None = None,
        body: bytes = b"",
    ) -> Reply:
        usual = IDS | {"Authorization": f"Bearer {token}", "NHSD-Target-Identifier": target(service)}
        sent = {name: value for name, value in (usual | (headers or {})).items() if value is not None}
        return call_app(app, method, f"/booking-and-referral/FHIR/R4{path}", sent, body)

    return call
