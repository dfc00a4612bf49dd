"""Forwarding over real mutual TLS to a real server."""

import gzip
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bars_portal.simulator.app import create_app
from bars_portal.simulator.config import Config
from bars_portal.simulator.forwarding import MutualTlsReceiver, client_context
from tests.simulator.support import (
    IDS,
    SYSTEM,
    FakeClock,
    Reply,
    ask_token,
    call_app,
    form,
    sign,
    target,
)
from tests.simulator.tls_receiver import TlsReceiver, tls_receiver, write_certificates

SERVICE = "2000099001"


class Sender:
    """A sender with a token, in front of the whole simulator."""

    def __init__(self, config: Config, private_key: RSAPrivateKey, read_timeout: float) -> None:
        context = client_context(
            ca_file=config.ca_file, cert_file=config.client_cert_file, key_file=config.client_key_file
        )
        self._config = config
        self._https = MutualTlsReceiver(context, read_timeout=read_timeout)
        self._app = create_app(config, clock=FakeClock(), https=self._https)
        self._token = ask_token(self._app, form(sign(private_key))).json["access_token"]

    def route_to(self, url: str) -> None:
        routes = {"NHSD-Target-Identifier": {SYSTEM: {SERVICE: url}}}
        self._config.catalogue_file.write_text(json.dumps(routes))

    def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
        usual = IDS | {"Authorization": f"Bearer {self._token}", "NHSD-Target-Identifier": target(SERVICE)}
        extra = {name.replace("_", "-"): value for name, value in headers.items()}
        return call_app(self._app, method, f"/booking-and-referral/FHIR/R4{path}", usual | extra, body)

    def close(self) -> None:
        self._https.close()


@pytest.fixture
def authorities(tmp_path: Path) -> tuple[trustme.CA, trustme.CA]:
    return write_certificates(tmp_path)


@pytest.fixture
def sender(
    config: Config, private_key: RSAPrivateKey, authorities: tuple[trustme.CA, trustme.CA]
) -> Iterator[Sender]:
    made = Sender(config, private_key, read_timeout=0.5)
    yield made
    made.close()


@pytest.fixture
def server(sender: Sender, authorities: tuple[trustme.CA, trustme.CA]) -> Iterator[TlsReceiver]:
    with tls_receiver(authorities[0], authorities[0]) as running:
        sender.route_to(f"{running.url}/")
        yield running


def test_the_client_certificate_arrives_and_the_token_does_not(sender: Sender, server: TlsReceiver) -> None:
    reply = sender.call("GET", "/metadata", Accept="application/fhir+json; version=1.1.0")

    arrived = server.arrived[0]
    assert reply.status == 200
    assert arrived.certificate_names == ("int.api.service.nhs.uk",)
    assert "authorization" not in arrived.headers
    assert arrived.headers["accept"] == "application/fhir+json; version=1.1.0"
    assert arrived.headers["nhsd-target-identifier"] == target(SERVICE)
    assert arrived.headers["x-request-id"] == IDS["X-Request-Id"]
    assert arrived.headers["host"] == server.url.removeprefix("https://").removesuffix("/FHIR/R4")
    assert "user-agent" not in arrived.headers
    assert "accept-encoding" not in arrived.headers


@pytest.mark.parametrize(
    "path",
    [
        "/$process-message",
        "/%24process-message",
        "/Slot?start=ge2026-07-14T09:00:00%2B01:00&_include=Slot:schedule&Schedule.actor:HealthcareService=1",
        "/Slot?status=free,busy&start=ge2026-07-14T09:00:00+00",
        "/MessageDefinition?context=https://fhir.nhs.uk/Id/dos-service-id|2000099001",
        "/Appointment?patient:identifier=https%3A%2F%2Ffhir.nhs.uk%2FId%2Fnhs-number%7C9434765919",
        "/Appointment/",
        "/Appointment/a%2Fb//c/./../d;e",
        '/Slot?a="b"&c=<d>&e={f}&g=^h`&',
        "/Slot?x=%zz",
    ],
)
def test_path_and_query_arrive_as_written(sender: Sender, server: TlsReceiver, path: str) -> None:
    sender.call("GET", path)

    assert server.arrived[0].target == f"/FHIR/R4{path}"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_every_method_is_passed_on(sender: Sender, server: TlsReceiver, method: str) -> None:
    sender.call(method, "/Appointment/1", body=b"" if method == "GET" else b"{}")

    assert server.arrived[0].method == method


def test_the_body_arrives_byte_for_byte(sender: Sender, server: TlsReceiver) -> None:
    body = b'{ "a":1.10,\r\n"b":"\xc3\xa9\\u00e9" }\n\x00\xff'

    sender.call("POST", "/$process-message", body=body, Content_Type="application/fhir+json; version=1.0.0")

    assert server.arrived[0].body == body
    assert server.arrived[0].headers["content-type"] == "application/fhir+json; version=1.0.0"


def test_a_zipped_request_and_answer_stay_zipped(sender: Sender, server: TlsReceiver) -> None:
    zipped = gzip.compress(b'{"resourceType": "Bundle"}')
    server.headers, server.body = (("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")), zipped

    reply = sender.call("POST", "/$process-message", zipped, Content_Encoding="gzip", Accept_Encoding="gzip")

    assert (server.arrived[0].body, server.arrived[0].headers["content-encoding"]) == (zipped, "gzip")
    assert (reply.body, reply.headers["content-encoding"]) == (zipped, "gzip")
    assert reply.headers["content-length"] == str(len(zipped))


def test_hop_by_hop_headers_stay_here(sender: Sender, server: TlsReceiver) -> None:
    server.headers = (
        ("Connection", "keep-alive, X-Private"),
        ("Keep-Alive", "timeout=5"),
        ("X-Private", "a"),
    )

    reply = sender.call("GET", "/Slot", Connection="X-Mine", X_Mine="1", TE="trailers", Upgrade="h2c")

    assert not {"x-mine", "te", "upgrade"} & server.arrived[0].headers.keys()
    assert not {"connection", "keep-alive", "x-private"} & reply.headers.keys()


def test_redirects_and_cookies_are_not_followed(sender: Sender, server: TlsReceiver) -> None:
    server.status, server.headers = 302, (("Location", "/elsewhere"), ("Set-Cookie", "a=b"))

    assert [sender.call("GET", "/Slot").status for _ in range(2)] == [302, 302]
    assert all("cookie" not in arrived.headers for arrived in server.arrived)


def test_connections_are_kept(sender: Sender, server: TlsReceiver) -> None:
    for _ in range(3):
        sender.call("GET", "/Slot")

    assert len({arrived.connection for arrived in server.arrived}) == 1


def test_a_connection_that_the_receiver_closed_is_replaced(sender: Sender, server: TlsReceiver) -> None:
    server.behaviour = "close after"

    for _ in range(3):
        assert sender.call("POST", "/$process-message", body=b"{}").status == 200
        time.sleep(0.05)

    assert len(server.arrived) == 3


def test_a_post_whose_answer_is_lost_is_not_sent_again(sender: Sender, server: TlsReceiver) -> None:
    server.behaviour = "hang up"

    reply = sender.call("POST", "/$process-message", body=b"{}")

    assert reply.outcome == (503, "REC_SERVICE_UNAVAILABLE", "transient")
    assert len(server.arrived) == 1


def test_a_silent_receiver_is_a_timeout(sender: Sender, server: TlsReceiver) -> None:
    server.behaviour = "silent"

    assert sender.call("GET", "/Slot").outcome == (408, "REC_TIMEOUT", "timeout")


def test_nobody_listens(sender: Sender) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    sender.route_to(f"https://127.0.0.1:{port}/FHIR/R4")

    assert sender.call("GET", "/Slot").outcome == (503, "REC_SERVICE_UNAVAILABLE", "transient")


def test_a_receiver_with_a_foreign_certificate_gets_nothing(
    sender: Sender, authorities: tuple[trustme.CA, trustme.CA]
) -> None:
    ours, stranger = authorities
    with tls_receiver(stranger, ours) as foreign:
        sender.route_to(foreign.url)
        assert sender.call("GET", "/Slot").status == 503
        assert foreign.arrived == []


def test_a_receiver_that_does_not_trust_our_certificate(
    sender: Sender, authorities: tuple[trustme.CA, trustme.CA]
) -> None:
    ours, stranger = authorities
    with tls_receiver(ours, stranger) as distrustful:
        sender.route_to(distrustful.url)
        assert sender.call("GET", "/Slot").status == 503
        assert distrustful.arrived == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/FHIR/R4", "ftp://x", "nonsense", "https://[::1"])
def test_only_tls(sender: Sender, url: str) -> None:
    sender.route_to(url)

    assert sender.call("GET", "/Slot").status == 503


def test_the_certificate_files_must_be_there(
    config: Config, authorities: tuple[trustme.CA, trustme.CA]
) -> None:
    with pytest.raises(OSError):
        create_app(replace(config, client_cert_file=config.state_dir / "missing.pem"))
