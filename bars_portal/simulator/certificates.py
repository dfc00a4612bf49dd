"""Certificate drills: the proxy shows its receiver an expired certificate, a stranger's, or none."""

import ssl
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from bars_portal.simulator.config import Clock, Config
from bars_portal.simulator.faults import Fault
from bars_portal.simulator.forwarding import Call, MutualTlsReceiver, Receiver, server_trust
from bars_portal.simulator.wire import Answer

EXPIRED_SINCE, VALID_FOR = timedelta(days=1), timedelta(days=60)
SigningKey = RSAPrivateKey | EllipticCurvePrivateKey


class _WrongKind(ValueError):
    """A key file holds a key that cannot sign certificates."""


class CertificateDrill:
    """A Receiver that connects with a wrong certificate; the context is made at its first call."""

    def __init__(self, fault: Fault, *, config: Config, clock: Clock) -> None:
        self._fault = fault
        self._config = config
        self._clock = clock
        self._lock = Lock()
        self._receiver: Receiver | None = None

    def answer(self, call: Call) -> Answer:
        """What the receiver says to such a caller. Raises ReceiverUnreachable when it hangs up."""
        with self._lock:
            if self._receiver is None:
                self._receiver = MutualTlsReceiver(_context(self._fault, self._config, self._clock()))
        return self._receiver.answer(call)


def _context(fault: Fault, config: Config, now: datetime) -> ssl.SSLContext:
    context = server_trust(config.ca_file)
    if fault is Fault.NO_CERTIFICATE:
        return context
    make = expired_certificate if fault is Fault.EXPIRED_CERTIFICATE else stranger_certificate
    _show(context, make, config, now)
    return context


def _show(
    context: ssl.SSLContext, make: Callable[[Config, datetime], bytes], config: Config, now: datetime
) -> None:
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(make(config, now))
        file.flush()
        context.load_cert_chain(file.name, str(config.client_key_file))


def expired_certificate(config: Config, now: datetime) -> bytes:
    """The proxy's certificate as the authority might have issued it long ago: it ended yesterday (PEM).

    Raises OSError without the authority's key: a drill that needs it is not armed then.
    """
    if config.ca_key_file is None:
        raise FileNotFoundError("ca_key_file")
    issuer = x509.load_pem_x509_certificates(config.ca_file.read_bytes())[-1]
    made = _reissued(config, issuer.subject, _key(config.ca_key_file), now - EXPIRED_SINCE)
    return made.public_bytes(Encoding.PEM) + issuer.public_bytes(Encoding.PEM)


def stranger_certificate(config: Config, now: datetime) -> bytes:
    """The proxy's name on a certificate that signed itself (PEM)."""
    leaf = _leaf(config)
    made = _reissued(config, leaf.subject, _key(config.client_key_file), now + VALID_FOR / 2)
    return made.public_bytes(Encoding.PEM)


def _reissued(config: Config, issuer: x509.Name, key: SigningKey, until: datetime) -> x509.Certificate:
    leaf = _leaf(config)
    builder = (
        x509.CertificateBuilder()
        .subject_name(leaf.subject)
        .issuer_name(issuer)
        .public_key(leaf.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(until - VALID_FOR)
        .not_valid_after(until)
    )
    for extension in leaf.extensions:
        if not isinstance(extension.value, x509.AuthorityKeyIdentifier):
            builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(key, hashes.SHA256())


def _leaf(config: Config) -> x509.Certificate:
    return x509.load_pem_x509_certificates(config.client_cert_file.read_bytes())[0]


def _key(file: Path) -> SigningKey:
    key = load_pem_private_key(file.read_bytes(), None)
    if not isinstance(key, SigningKey):
        raise _WrongKind
    return key
