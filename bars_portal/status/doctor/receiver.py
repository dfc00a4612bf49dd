"""What receives: the certificate and its key, the chain that is trusted, and handshakes with the server."""

import socket
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import ip_address, ip_network

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from bars_portal.credentials.acceptance import Expected, accept, name_of, thumbprint
from bars_portal.credentials.environments import Hosting, InvalidName, check_fqdn, of_authority
from bars_portal.credentials.intake import Unusable, read_certificates
from bars_portal.credentials.keys import chain_pem, private_pem
from bars_portal.credentials.local_pki import CLIENT, LeafRecipe, new_leaf, new_root
from bars_portal.exchange.receiver.server.environment import HealthSettings
from bars_portal.exchange.receiver.server.health import CheckFailed, handshake_check
from bars_portal.status.doctor.examination import (
    Examination,
    Finding,
    Visit,
    fine,
    skipped,
    warning,
    wrong,
)
from bars_portal.status.watched import read_file

_SECONDS = 3.0
# Enough for "HTTP/1.1 403 Forbidden".
_STATUS_LINE = 64
_FILES = ("RECEIVER_CERT_FILE", "RECEIVER_KEY_FILE", "RECEIVER_CA_FILE")
# When they end is told by the examination of certificates.
_TOLD_ELSEWHERE = frozenset({"expired", "authority-expired"})
_NOT_TOLD = "This process is not told of the receiver's files."


def _content(name: str) -> bytes:
    """Of the file of a setting. Raises OSError."""
    return read_file(settings.RECEIVER[name])


def _files(_visit: Visit) -> Finding:
    unset = [name for name in _FILES if not settings.RECEIVER[name]]
    if len(unset) == len(_FILES):
        return skipped(f"{_NOT_TOLD} Run this where RECEIVER_CERT_FILE and its like are set.")
    if unset:
        return wrong(f"Not set: {', '.join(unset)}.")
    if not _can_be_read("RECEIVER_KEY_FILE"):
        return wrong("Cannot be read: RECEIVER_KEY_FILE.")
    if not all(map(_can_be_read, _FILES)):
        # One fault is told once.
        return skipped("What cannot be read stands under: Certificates and revocation lists.")
    return fine("All can be read.")


def _can_be_read(name: str) -> bool:
    try:
        return bool(_content(name))
    except OSError:
        return False


def _server_name() -> str:
    return settings.RECEIVER["RECEIVER_HEALTH_SERVER_NAME"] or "localhost"


def _certificate(visit: Visit) -> Iterator[Finding]:
    """Key, name, chain, environment, strength and path: as the onboarding judges one that is brought."""
    environment = visit.environment
    if environment.outbound is None:
        yield skipped(f"Nothing is sent to receivers in {environment.title}.")
        return
    try:
        key = load_pem_private_key(_content("RECEIVER_KEY_FILE"), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        yield wrong("RECEIVER_KEY_FILE is no private key that opens without a password.")
        return
    chain = _content("RECEIVER_CERT_FILE") + b"\n" + _content("RECEIVER_CA_FILE")
    # A simulated root is published nowhere.
    roots = _roots(_content("RECEIVER_CA_FILE")) if environment.is_simulated else ()
    try:
        expected = Expected(environment, _server_name(), key.public_key(), roots)  # type: ignore[arg-type]  # keys that sign nothing are in no certificate
        accepted = accept(read_certificates(chain), expected, now=visit.now)
    except Unusable as fault:
        if fault.code in _TOLD_ELSEWHERE:
            yield fine("It fits, but for its dates.")
        else:
            yield (warning if fault.code == "unknown-root" else wrong)(fault.sentence)
        return
    if not environment.is_simulated and (sentence := _why_wrong_name(visit)):
        yield wrong(f"The name {_server_name()}: {sentence}")
        return
    yield fine(f"{name_of(accepted.leaf.subject)}, by {name_of(accepted.leaf.issuer)}; it fits its key.")


def _roots(content: bytes) -> list[str]:
    found = x509.load_pem_x509_certificates(content)
    return [thumbprint(each) for each in found if each.issuer == each.subject]


def _why_wrong_name(visit: Visit) -> str:
    """Hosted by a supplier or by the provider: one of the two patterns must fit."""
    said = ""
    for hosting in Hosting:
        try:
            check_fqdn(_server_name(), visit.environment, hosting, ods=settings.BARS["ODS_CODE"])
        except InvalidName as fault:
            said = str(fault)
        else:
            return ""
    return said


def _presented(_visit: Visit) -> Finding:
    """Clients have the root; what stands between must come with the certificate."""
    shown = x509.load_pem_x509_certificates(_content("RECEIVER_CERT_FILE"))
    subjects = {each.subject for each in shown}
    root = {each.subject for each in x509.load_pem_x509_certificates(_content("RECEIVER_CA_FILE"))}
    roots = {each for each in root if each not in subjects}
    leaf = shown[0]
    if leaf.issuer in subjects:
        return fine(f"{len(shown)} certificates, the receiver's own first.")
    if leaf.issuer in roots and not _is_intermediate(leaf.issuer):
        return fine("The root signed it.")
    return wrong(
        f"The certificate of {name_of(leaf.issuer) or 'who signed it'} is missing in RECEIVER_CERT_FILE."
    )


def _is_intermediate(name: x509.Name) -> bool:
    trusted = x509.load_pem_x509_certificates(_content("RECEIVER_CA_FILE"))
    return any(each.subject == name and each.issuer != each.subject for each in trusted)


def _trusted(visit: Visit) -> Finding:
    """Only the chain of the environment (standard section 1)."""
    if visit.environment.outbound is None:
        return skipped(f"Nothing is sent to receivers in {visit.environment.title}.")
    own = {link.common_name for link in visit.environment.outbound.authorities}
    names = [name_of(each.subject) for each in x509.load_pem_x509_certificates(_content("RECEIVER_CA_FILE"))]
    foreign = [name for name in names if name not in own]
    for name in foreign:
        if others := of_authority(name):
            return wrong(f"RECEIVER_CA_FILE trusts {name}, which is of {others[0].title}.")
    if foreign:
        return warning(f"RECEIVER_CA_FILE trusts {', '.join(foreign)}, which no document names.")
    return fine(f"{', '.join(names)}: the chain of {visit.environment.title}.")


def _peer_names(visit: Visit) -> Finding:
    allowed, wanted = set(settings.BARS_PEER_NAMES), set(visit.environment.peer_names)
    if missing := sorted(wanted - allowed):
        return wrong(f"{', '.join(missing)} is not let in, and that is what the proxy shows.")
    if more := sorted(allowed - wanted):
        return warning(f"Let in as well: {', '.join(more)}.", "Leave them out of BARS_PEER_NAMES.")
    return fine(f"{', '.join(sorted(allowed)) or 'Nobody'}.")


def _peer_sources(visit: Visit) -> Finding:
    allowed, wanted = settings.BARS_PEER_SOURCES, visit.environment.addresses
    if not allowed:
        return fine("From anywhere: certificates alone decide.")
    networks = [ip_network(each) for each in allowed]
    missing = [each for each in wanted if not any(ip_address(each) in network for network in networks)]
    if missing:
        return wrong(f"Not let in: {', '.join(missing)}, from where the proxy calls.")
    return fine(f"{len(allowed)} addresses or networks.")


# -- handshakes


def _health_settings() -> HealthSettings:
    """Raises ImproperlyConfigured."""
    return HealthSettings.read(settings.RECEIVER)


def _handshake(_visit: Visit) -> Finding:
    try:
        where = _health_settings()
    except ImproperlyConfigured as problem:
        return skipped(f"{_NOT_TOLD} {problem}")
    try:
        handshake_check(where, seconds=_SECONDS)()
    except CheckFailed as failed:
        if str(failed) == "no connection":
            return wrong(
                f"Nothing listens at {where.host}:{where.port}.",
                "Start the receiver, or correct RECEIVER_HOST and RECEIVER_PORT.",
            )
        return wrong(f"A client of the right chain is not let in: {failed}.")
    return fine("A client of the right chain is let in.")


def _strangers(visit: Visit) -> Finding:
    """One of another root, and one without a certificate: neither may get further than the handshake."""
    where = _health_settings()
    root = new_root("Stranger of bars_doctor", now=visit.now, lifetime=timedelta(days=1))
    name = (*visit.environment.peer_names, "stranger.example")[0]
    leaf = new_leaf(LeafRecipe(name, CLIENT, (name,)), issuer=root, now=visit.now, lifetime=timedelta(days=1))
    with tempfile.NamedTemporaryFile(suffix=".pem") as pem:
        # Never a key of anybody: it is made for this one call.
        pem.write(chain_pem([leaf.certificate]) + private_pem(leaf.key))
        pem.flush()
        for who, file in (("of another chain", pem.name), ("without a certificate", None)):
            if _is_let_in(where, file):
                return wrong(f"A client {who} is let in.")
    return fine("A client of another chain is refused, and so is one without a certificate.")


def _is_let_in(where: HealthSettings, own: str | None) -> bool:
    try:
        with _connected(where, own):
            return True
    except OSError:
        return False


@contextmanager
def _connected(where: HealthSettings, own: str | None, key: str | None = None) -> Iterator[ssl.SSLSocket]:
    """As a client with this certificate, or with none. Raises OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=where.ca_file)
    if own is not None:
        context.load_cert_chain(own, key)
    # Under TLS 1.3 a client is done before the server has judged its certificate; under 1.2 it is not.
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection((where.host, where.port), timeout=_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=where.server_name) as sock,
    ):
        yield sock


def _is_for_clients(certificate: x509.Certificate) -> bool:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.CLIENT_AUTH in usages


def _wrong_name(_visit: Visit) -> Finding:
    """A client of the right chain that is not the proxy: one that is given, or else the receiver itself."""
    names = ("RECEIVER_WRONG_NAME_CERT_FILE", "RECEIVER_WRONG_NAME_KEY_FILE")
    given = all(settings.RECEIVER[each] for each in names)
    certificate, key = names if given else ("RECEIVER_CERT_FILE", "RECEIVER_KEY_FILE")
    shown = x509.load_pem_x509_certificates(_content(certificate))[0]
    name = name_of(shown.subject)
    if name in settings.BARS_PEER_NAMES:
        return skipped(f"{name} is let in by BARS_PEER_NAMES, so it shows nothing.")
    if not _is_for_clients(shown):
        return skipped(f"The certificate of {name} is for servers only. Set RECEIVER_WRONG_NAME_CERT_FILE.")
    files = settings.RECEIVER[certificate], settings.RECEIVER[key]
    request = b"GET /FHIR/R4/metadata HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    try:
        with _connected(_health_settings(), *files) as sock:
            sock.sendall(request)
            first = sock.recv(_STATUS_LINE).split(b" ")
    except OSError:
        return fine(f"A client with the name {name} is refused in the handshake.")
    status = first[1].decode("ascii", errors="replace") if len(first) > 1 else ""
    if status in ("", "403"):
        return fine(f"A client of the right chain with the name {name} is refused.")
    return wrong(f"A client of the right chain with the name {name} was answered {status}, and not 403.")


_EDGE = "docs/how-to/run-the-edge.md"
_ROTATION = "docs/how-to/examine-an-installation.md, rotating certificates"
RECEIVER = (
    Examination(
        "receiver-files",
        "Files of the receiver",
        _files,
        "Set what is named to files that can be read.",
        _EDGE,
    ),
    Examination(
        "receiver-certificate",
        "Certificate of the receiver",
        _certificate,
        "Do what the sentence says; the pages of onboarding lead through it.",
        _ROTATION,
        needs=("receiver-files",),
    ),
    Examination(
        "receiver-presents",
        "What the receiver shows",
        _presented,
        "Put the receiver's certificate first, then those that lead to the root.",
        _ROTATION,
        needs=("receiver-files",),
    ),
    Examination(
        "receiver-trusts",
        "Chain that is trusted",
        _trusted,
        "Put the chain of this environment into RECEIVER_CA_FILE, and nothing else.",
        _EDGE,
        needs=("receiver-files",),
    ),
    Examination(
        "peer-names",
        "Names that are let in",
        _peer_names,
        "Unset BARS_PEER_NAMES: then it is what the environment's proxy shows.",
        _EDGE,
    ),
    Examination(
        "peer-sources",
        "Addresses that are let in",
        _peer_sources,
        "Name the environment in BARS_PEER_SOURCES, such as int.",
        _EDGE,
    ),
    Examination(
        "receiver-handshake",
        "Handshake with the receiver",
        _handshake,
        "Compare RECEIVER_CA_FILE, RECEIVER_CRL_FILE and RECEIVER_HEALTH_CERT_FILE with what the server has.",
        _EDGE,
        needs=("receiver-files",),
        asks_outside=True,
    ),
    Examination(
        "receiver-refuses",
        "Strangers at the receiver",
        _strangers,
        "Stop it. The receiver, or the proxy before it, must demand a certificate of the chain.",
        _EDGE,
        needs=("receiver-handshake",),
        asks_outside=True,
    ),
    Examination(
        "wrong-name",
        "Another name of the right chain",
        _wrong_name,
        "Set BARS_PEER_NAMES to what the environment's proxy shows, and start the receiver again.",
        _EDGE,
        needs=("receiver-handshake", "receiver-certificate"),
        asks_outside=True,
    ),
)
