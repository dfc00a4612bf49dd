"""Real handshakes: what the client trusts, and that its certificate arrives."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
import trustme

from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.transport.auth import NoToken
from bars_portal.exchange.transport.client import BarsClient, build_http
from bars_portal.exchange.transport.headers import OutgoingContext, Party, Software
from bars_portal.http import Answer, NotSent, TransportError, client_context
from tests.unit.exchange_transport.servers import Server, reply, serving

CONTEXT = OutgoingContext(uuid4(), uuid4(), ServiceID.parse("1"), Party("A1001", ""), Software("i", "n", "v"))


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def folder(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ca.pem, stranger.pem (another authority), client.pem with client.key, and both.pem."""
    path = tmp_path_factory.mktemp("pki")
    authority.cert_pem.write_to_path(path / "ca.pem")
    trustme.CA().cert_pem.write_to_path(path / "stranger.pem")
    issued = authority.issue_cert("client.nhs.uk")
    issued.cert_chain_pems[0].write_to_path(path / "client.pem")
    issued.private_key_pem.write_to_path(path / "client.key")
    issued.private_key_and_cert_chain_pem.write_to_path(path / "both.pem")
    return path


@pytest.fixture
def mutual(authority: trustme.CA) -> Iterator[Server]:
    """A server for 127.0.0.1 that demands a certificate of the same authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    with serving(context) as running:
        running.script(reply())
        yield running


def call(url: str, context: ssl.SSLContext) -> Answer:
    with build_http(timeout_seconds=2, verify=context) as http:
        clock = datetime(2026, 7, 14, tzinfo=UTC)
        client = BarsClient(base_url=url, tokens_of=lambda _: NoToken(), http=http, clock=lambda: clock)
        return client.get("/metadata", context=CONTEXT)


@pytest.mark.parametrize(("cert", "key"), [("client.pem", "client.key"), ("both.pem", None)])
def test_the_client_certificate_arrives(mutual: Server, folder: Path, cert: str, key: str | None) -> None:
    key_file = folder / key if key else None
    context = client_context(ca_file=folder / "ca.pem", cert_file=folder / cert, key_file=key_file)
    assert call(mutual.url, context).status == 200
    pem = (folder / "client.pem").read_text()
    assert mutual.received[0].peer_certificate == ssl.PEM_cert_to_DER_cert(pem)


def test_without_a_certificate_nothing_reaches_the_application(mutual: Server, folder: Path) -> None:
    # TLS 1.3 refuses only after the client began to send, so either error is right.
    with pytest.raises(TransportError):
        call(mutual.url, client_context(ca_file=folder / "ca.pem"))
    assert not mutual.received


@pytest.mark.parametrize("ca_file", ["stranger.pem", None])
def test_a_server_of_another_authority_is_refused(mutual: Server, folder: Path, ca_file: str | None) -> None:
    with pytest.raises(NotSent) as raised:
        call(mutual.url, client_context(ca_file=folder / ca_file if ca_file else None))
    assert (raised.value.kind, raised.value.sent) == ("tls", False)
    assert not mutual.received


def test_a_server_of_another_name_is_refused(mutual: Server, folder: Path) -> None:
    with pytest.raises(NotSent, match="tls"):
        call(mutual.url.replace("127.0.0.1", "localhost"), client_context(ca_file=folder / "ca.pem"))


def test_plain_http_on_the_other_side_is_a_tls_failure(server: Server, folder: Path) -> None:
    server.script(reply())
    with pytest.raises(NotSent, match="tls"):
        call(server.url.replace("http:", "https:"), client_context(ca_file=folder / "ca.pem"))


def test_old_tls_is_off(folder: Path) -> None:
    context = client_context(ca_file=folder / "ca.pem")
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("name", ["missing.pem", "client.key"])
def test_unusable_files_are_told_at_once(folder: Path, name: str) -> None:
    with pytest.raises(OSError, match=r".+"):
        client_context(ca_file=folder / name)
