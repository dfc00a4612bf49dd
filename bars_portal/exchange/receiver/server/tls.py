"""The receiver's side of mutual TLS: the context, and client sockets that know their certificate."""

import re
import ssl
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from django.core.exceptions import ImproperlyConfigured

from bars_portal.credentials.acceptance import name_of
from bars_portal.credentials.environments import of_authority
from bars_portal.exchange.receiver.server.bounded import Bounded
from bars_portal.exchange.receiver.server.environment import ServerSettings

# As nginx compares it: no wildcard, and nothing that its configuration would read as more than a name.
_PLAIN_NAME = re.compile(r"[a-z0-9.-]+")


class PeerSocket(Bounded, ssl.SSLSocket):
    """A TLS connection. The standard library's sendall is a loop over send, so that is bounded too."""

    # The client's certificate: kept from the handshake, since OpenSSL forgets it when a client vanishes.
    peer_der: bytes | None = None


def server_context(settings: ServerSettings, *, left_out: list[Path] | None = None) -> ssl.SSLContext:
    """It demands a client certificate of the given chain, that environment's only (standard section 1).

    It shows the certificate of the name that it is asked for (SNI). `left_out` takes those of organisations
    that cannot be used, so that no organisation's files stop the others; without it they are an error too.

    Raises ssl.SSLError when the files do not fit each other, ImproperlyConfigured for another's chain.
    """
    require_own_chain(settings.ca_file, settings.environment)
    context = _context(settings, settings.cert_file, settings.key_file)
    by_name = _by_name(settings, left_out)
    if by_name:

        def choose(sock: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
            """Who asks for no name, or for none of these, is shown the receiver's own."""
            found = by_name.get((name or "").lower())
            if found is not None:
                sock.context = found

        context.sni_callback = choose
    return context


def nginx_names(settings: ServerSettings, *, left_out: list[Path]) -> list[str]:
    """For the map in deploy/nginx.conf: a name and its pair of files without their endings, a line each.

    Raises ImproperlyConfigured for another's chain.
    """
    require_own_chain(settings.ca_file, settings.environment)
    found: dict[str, Path] = {}
    for certificate, names, _ in _pairs(settings, left_out):
        found.update(dict.fromkeys(filter(_PLAIN_NAME.fullmatch, names), certificate.absolute()))
    return [f'{name} "{found[name].with_suffix("")}";' for name in sorted(found)]


def _by_name(settings: ServerSettings, left_out: list[Path] | None) -> dict[str, ssl.SSLContext]:
    """A context for each name of an organisation's certificate; whom they trust is the same."""
    found: dict[str, ssl.SSLContext] = {}
    for _, names, context in _pairs(settings, left_out):
        found.update(dict.fromkeys(names, context))
    return found


def _pairs(
    settings: ServerSettings, left_out: list[Path] | None
) -> Iterator[tuple[Path, list[str], ssl.SSLContext]]:
    """Of each organisation with files that fit."""
    for certificate, key in settings.pairs:
        try:
            context, names = _context(settings, certificate, key), _names(certificate)
        except (OSError, ValueError):
            if left_out is None:
                raise
            left_out.append(certificate)
            continue
        yield certificate, names, context


def _names(file: Path) -> list[str]:
    """In lower case. Raises ValueError."""
    leaf = x509.load_pem_x509_certificates(file.read_bytes())[0]
    try:
        told = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = told.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        # NHS certificates may have a common name alone.
        names = []
    return [each.lower() for each in (*names, name_of(leaf.subject)) if each]


def _context(settings: ServerSettings, certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(cafile=settings.ca_file)
    if settings.crl_file is not None:
        # An outdated list refuses everyone: better closed than blind.
        context.load_verify_locations(cafile=settings.crl_file)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    # No resumption and no renegotiation: each connection shows its certificate once, freshly verified.
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    context.sslsocket_class = PeerSocket
    return context


def require_own_chain(ca_file: Path, environment: str) -> None:
    """What the documents give to other environments is never trusted, whatever else is in the file.

    Raises ImproperlyConfigured.
    """
    try:
        trusted = x509.load_pem_x509_certificates(ca_file.read_bytes())
    except (OSError, ValueError):
        # The context says what is wrong with the file.
        return
    for name in (name_of(each.subject) for each in trusted):
        others = of_authority(name)
        if others and environment not in {each.name for each in others}:
            raise ImproperlyConfigured(
                f"RECEIVER_CA_FILE trusts {name}, the chain of {others[0].title}; "
                f"BARS_ENVIRONMENT is {environment}."
            )
