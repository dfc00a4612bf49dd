"""Who is calling, seen by our own TLS server or told by a trusted proxy."""

import socket
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from bars_portal.credentials.local_pki import PkiFiles
from bars_portal.exchange.receiver.server.peer import BUNDLED, Trust, peer_certificate

Headers = dict[str, str]


@pytest.fixture
def certificate(pki: PkiFiles) -> x509.Certificate:
    return x509.load_pem_x509_certificates(pki.certificate("proxy-client").read_bytes())[0]


@pytest.fixture
def headers(pki: PkiFiles, certificate: x509.Certificate) -> Headers:
    """As deploy/nginx.conf passes them."""
    pem = pki.certificate("proxy-client").read_text().partition("-----END CERTIFICATE-----\n")
    return {
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_X_SSL_CLIENT_VERIFY": "SUCCESS",
        "HTTP_X_SSL_CLIENT_SUBJECT": "CN=int.api.service.nhs.uk",
        "HTTP_X_SSL_CLIENT_FINGERPRINT": certificate.fingerprint(SHA1()).hex(),
        "HTTP_X_SSL_CLIENT_CERT": quote(pem[0] + pem[1], safe=""),
    }


@pytest.fixture
def unix_socket() -> Iterator[socket.socket]:
    near, far = socket.socketpair(socket.AF_UNIX)
    with near, far:
        yield near


LOCAL = Trust.proxy(["127.0.0.1", "10.1.0.0/16"])


def test_a_trusted_proxy_names_the_client(headers: Headers, certificate: x509.Certificate) -> None:
    peer = peer_certificate(headers, LOCAL)
    assert peer is not None
    assert peer.common_name == "int.api.service.nhs.uk"
    assert peer.dns_names == ("int.api.service.nhs.uk",)
    assert peer.issuer == "CN=BaRS local test Level 1C"
    assert peer.fingerprint == certificate.fingerprint(SHA256()).hex()
    assert peer.serial == certificate.serial_number


@pytest.mark.parametrize(
    ("address", "trusted"),
    [
        ("127.0.0.1", True),
        ("::ffff:127.0.0.1", True),
        ("10.1.2.3", True),
        ("10.2.0.1", False),
        ("::1", False),
        ("", False),
        ("nonsense", False),
    ],
)
def test_headers_count_from_trusted_addresses_only(headers: Headers, address: str, trusted: bool) -> None:
    headers["REMOTE_ADDR"] = address
    assert (peer_certificate(headers, LOCAL) is not None) is trusted


def test_headers_never_count_without_a_proxy(headers: Headers) -> None:
    assert peer_certificate(headers, BUNDLED) is None
    assert peer_certificate(headers) is None


@pytest.mark.parametrize(("proxies", "trusted"), [(["unix"], True), (["127.0.0.1"], False)])
def test_a_unix_socket_is_trusted_by_name_only(
    headers: Headers, unix_socket: socket.socket, proxies: list[str], trusted: bool
) -> None:
    environ = headers | {"REMOTE_ADDR": ""}
    seen = peer_certificate({**environ, "gunicorn.socket": unix_socket}, Trust.proxy(proxies))
    assert (seen is not None) is trusted


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_X_SSL_CLIENT_VERIFY", "NONE"),
        ("HTTP_X_SSL_CLIENT_VERIFY", "FAILED:unable to get local issuer certificate"),
        ("HTTP_X_SSL_CLIENT_VERIFY", ""),
        ("HTTP_X_SSL_CLIENT_VERIFY", "success"),
        ("HTTP_X_SSL_CLIENT_CERT", ""),
        ("HTTP_X_SSL_CLIENT_CERT", "nonsense"),
        ("HTTP_X_SSL_CLIENT_CERT", "%ff%fe"),
        ("HTTP_X_SSL_CLIENT_CERT", "\udcff"),
        ("HTTP_X_SSL_CLIENT_CERT", "x" * 1_000_000),
        ("HTTP_X_SSL_CLIENT_FINGERPRINT", "00" * 20),
    ],
)
def test_incomplete_or_contradicting_headers_name_nobody(headers: Headers, name: str, value: str) -> None:
    assert peer_certificate(headers | {name: value}, LOCAL) is None


@pytest.mark.parametrize("address", ["everywhere", "10.0.0.0/99", ""])
def test_a_trust_that_names_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError):
        Trust.proxy([address])


@pytest.mark.parametrize("environ", [{}, {"gunicorn.socket": None}, {"gunicorn.socket": object()}])
def test_without_tls_there_is_no_peer(environ: dict[str, object]) -> None:
    assert peer_certificate(environ) is None
