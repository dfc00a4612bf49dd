"""Who is calling, from our own TLS server or from a trusted proxy, and whom the receiver lets in.

Admission is by the name in the certificate and by the address that the call comes from. It is asked twice
of every caller: by the TLS server before a request thread is taken, and by the application, which answers
403 and says so on the trail, behind nginx as well.
"""

import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from socket import AF_UNIX
from time import monotonic
from typing import Any, Self
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from bars_portal.exchange.receiver.server.tls import PeerSocket

UNIX_SOCKET = "unix"
Environ = Mapping[str, Any]


@dataclass(frozen=True)
class PeerCertificate:
    """A verified client certificate. `fingerprint` is SHA-256 in lower-case hex, `issuer` RFC 4514 text.

    `expires_at` is aware.
    """

    common_name: str
    dns_names: tuple[str, ...]
    issuer: str
    fingerprint: str
    serial: int
    expires_at: datetime


@dataclass(frozen=True)
class Trust:
    """Where the certificate comes from: our own TLS (`proxies` None), or headers of these proxies only."""

    proxies: frozenset[str] | None = None

    @classmethod
    def proxy(cls, addresses: Collection[str]) -> Self:
        """`addresses`: IP addresses, networks, or "unix" for a Unix socket. Raises ValueError on others."""
        for address in addresses:
            if address != UNIX_SOCKET:
                ip_network(address)
        return cls(frozenset(addresses))


BUNDLED = Trust()


def peer_certificate(environ: Environ, trust: Trust = BUNDLED) -> PeerCertificate | None:
    """The client's certificate, or None when there is none to be trusted.

    Headers count in proxy mode only, and only from a trusted proxy's own address; then nothing else counts.
    """
    if trust.proxies is None:
        return _from_connection(environ.get("gunicorn.socket"))
    return _from_headers(environ) if _comes_from(environ, trust.proxies) else None


def peer_address(environ: Environ, trust: Trust = BUNDLED) -> str:
    """Where the call comes from: the connection's other end, or what a trusted proxy says of it."""
    if trust.proxies is not None and _comes_from(environ, trust.proxies):
        return str(environ.get("HTTP_X_REAL_IP", ""))
    return str(environ.get("REMOTE_ADDR", ""))


def seconds_waited(environ: Environ) -> float:
    """How long the request, there as a whole, has waited for a thread."""
    whole_at: float | None = getattr(environ.get("gunicorn.socket"), "whole_at", None)
    return 0.0 if whole_at is None else monotonic() - whole_at


def _from_connection(sock: object) -> PeerCertificate | None:
    if not isinstance(sock, PeerSocket) or sock.context.verify_mode != ssl.CERT_REQUIRED:
        return None
    return describe(sock.peer_der) if sock.peer_der else None


def _comes_from(environ: Environ, proxies: frozenset[str]) -> bool:
    if getattr(environ.get("gunicorn.socket"), "family", None) == AF_UNIX:
        return UNIX_SOCKET in proxies
    return _is_one_of(environ.get("REMOTE_ADDR", ""), proxies)


# A proxy's connections all come from the same few addresses.
@lru_cache(maxsize=256)
def _is_one_of(sender: str, proxies: frozenset[str]) -> bool:
    try:
        address = ip_address(sender)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in ip_network(proxy) for proxy in proxies - {UNIX_SOCKET})


def _from_headers(environ: Environ) -> PeerCertificate | None:
    """nginx's variables as deploy/nginx.conf passes them; the certificate itself is what counts.

    The fingerprint (nginx writes SHA-1) must agree where it is sent: a header mixed up with another
    connection's is no identity.
    """
    if environ.get("HTTP_X_SSL_CLIENT_VERIFY") != "SUCCESS":
        return None
    return _told(environ.get("HTTP_X_SSL_CLIENT_CERT", ""), environ.get("HTTP_X_SSL_CLIENT_FINGERPRINT", ""))


@lru_cache(maxsize=256)
def _told(certificate_header: str, fingerprint_header: str) -> PeerCertificate | None:
    """Kept by what the headers say: few callers, many calls."""
    try:
        certificate = x509.load_pem_x509_certificate(unquote(certificate_header, errors="strict").encode())
    except ValueError:
        return None
    told = fingerprint_header.replace(":", "").lower()
    if told and told not in {certificate.fingerprint(kind).hex() for kind in (SHA1(), SHA256())}:  # noqa: S303 - nginx's
        return None
    return describe(certificate.public_bytes(Encoding.DER))


@lru_cache(maxsize=256)
def describe(der: bytes) -> PeerCertificate:
    """What a certificate says. Kept by its own bytes: a kept-alive connection is not parsed again."""
    certificate = x509.load_der_x509_certificate(der)
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return PeerCertificate(
        # Two common names name nobody.
        common_name=str(names[0].value) if len(names) == 1 else "",
        dns_names=_dns_names(certificate),
        issuer=certificate.issuer.rfc4514_string(),
        fingerprint=certificate.fingerprint(SHA256()).hex(),
        serial=certificate.serial_number,
        expires_at=certificate.not_valid_after_utc,
    )


def _dns_names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(names.get_values_for_type(x509.DNSName))


class Refused(Enum):
    """Why somebody of the right chain is not let in."""

    NAME = "no name in the certificate is allowed"
    SOURCE = "the address is not allowed"


@dataclass(frozen=True)
class Admission:
    """`networks` empty: from anywhere."""

    names: frozenset[str]
    networks: tuple[IPv4Network | IPv6Network, ...]

    @classmethod
    def of(cls, names: Collection[str], sources: Collection[str]) -> Self:
        """Raises ValueError when a source is neither an address nor a network."""
        return cls(frozenset(names), tuple(ip_network(each) for each in sources))

    def judge(self, certificate: PeerCertificate | None, address: str) -> Refused | None:
        """None lets in. Without a certificate there is no name."""
        if not self.name_of(certificate):
            return Refused.NAME
        return None if self._is_allowed(address) else Refused.SOURCE

    def name_of(self, certificate: PeerCertificate | None) -> str:
        """The name that lets it in, or nothing."""
        if certificate is None:
            return ""
        return min({certificate.common_name, *certificate.dns_names} & self.names, default="")

    def _is_allowed(self, address: str) -> bool:
        return not self.networks or _is_in(address, self.networks)


# All calls come from a few addresses.
@lru_cache(maxsize=256)
def _is_in(address: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return any(found in network for network in networks)
