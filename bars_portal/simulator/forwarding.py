"""Carries a request to its receiver over mutual TLS, bytes untouched both ways.

In a certificate drill the proxy shows an expired certificate, a stranger's, or none.
"""

import ssl
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from threading import Lock
from typing import Protocol

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from bars_portal.simulator.config import Clock, Config
from bars_portal.simulator.drills import Fault
from bars_portal.simulator.wire import Answer, Request

# The live proxy's io.timeout.millis: the longest silence it bears from a receiver.
READ_TIMEOUT_SECONDS = 32.0
CONNECT_TIMEOUT_SECONDS = 5.0
# Below the receiver's own keep-alive (75 s): we are the one who closes, and never write to a dead connection.
IDLE_CONNECTION_SECONDS = 20.0
MOST_CONNECTIONS = 32
EXPIRED_SINCE, VALID_FOR = timedelta(days=1), timedelta(days=60)
SigningKey = RSAPrivateKey | EllipticCurvePrivateKey

HOP_BY_HOP = frozenset(
    {
        *("connection", "keep-alive", "proxy-connection", "transfer-encoding", "te", "trailer", "upgrade"),
        *("proxy-authenticate", "proxy-authorization", "expect"),
    }
)
# The token is for the proxy alone; the other two are written anew for the next connection.
NOT_FOR_RECEIVERS = HOP_BY_HOP | {"authorization", "host", "content-length"}
# Our own server writes these.
NOT_FOR_SENDERS = HOP_BY_HOP | {"content-length", "date", "server"}


class ReceiverTimedOut(Exception):
    """Sent, but no answer in time."""


class ReceiverUnreachable(Exception):
    """No connection, no TLS, or the connection broke before a whole answer came."""


@dataclass(frozen=True)
class Call:
    """A request on its way to the receiver of `service_id`; `suffix` is the raw path below /FHIR/R4.

    `address` is where to connect, when that is not what the base URL's host says by DNS.
    """

    request: Request
    suffix: str
    service_id: str
    base_url: str
    address: str = ""


class Receiver(Protocol):
    """Whoever answers for a service: the real one over TLS, or TKW in this process."""

    def answer(self, call: Call) -> Answer:
        """The receiver's answer. Raises ReceiverTimedOut or ReceiverUnreachable."""
        ...


class MutualTlsReceiver:
    """One pool of kept-alive connections, each showing the proxy's client certificate."""

    def __init__(self, context: ssl.SSLContext, *, read_timeout: float = READ_TIMEOUT_SECONDS) -> None:
        limits = httpx.Limits(
            max_connections=MOST_CONNECTIONS,
            max_keepalive_connections=MOST_CONNECTIONS,
            keepalive_expiry=IDLE_CONNECTION_SECONDS,
        )
        # `retries` repeats the connecting only: once a byte of a request was sent, it is never sent again.
        transport = httpx.HTTPTransport(verify=context, retries=1, limits=limits, trust_env=False)
        self._client = httpx.Client(
            transport=transport,
            timeout=httpx.Timeout(read_timeout, connect=CONNECT_TIMEOUT_SECONDS),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            trust_env=False,
        )

    def answer(self, call: Call) -> Answer:
        """Forwards the call. Raises ReceiverTimedOut or ReceiverUnreachable."""
        try:
            return self._exchange(_outgoing(call))
        except httpx.ConnectTimeout as problem:
            raise ReceiverUnreachable from problem
        except httpx.TimeoutException as problem:
            raise ReceiverTimedOut from problem
        except (httpx.TransportError, httpx.InvalidURL) as problem:
            raise ReceiverUnreachable from problem

    def close(self) -> None:
        """Closes the pool."""
        self._client.close()

    def _exchange(self, request: httpx.Request) -> Answer:
        response = self._client.send(request, stream=True)
        try:
            # Raw: a gzip body is passed on as it came, together with its Content-Encoding.
            body = b"".join(response.iter_raw())
        finally:
            response.close()
        headers = _passed_on(response.headers.multi_items(), NOT_FOR_SENDERS)
        return Answer(response.status_code, tuple(headers), body)


def client_context(*, ca_file: Path, cert_file: Path, key_file: Path) -> ssl.SSLContext:
    """TLS as the proxy speaks it: trusts `ca_file` only, shows the client certificate. Raises OSError."""
    context = server_trust(ca_file)
    context.load_cert_chain(str(cert_file), str(key_file))
    return context


def server_trust(ca_file: Path) -> ssl.SSLContext:
    """TLS that trusts `ca_file` only and shows no certificate. Raises OSError."""
    context = ssl.create_default_context(cafile=str(ca_file))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _outgoing(call: Call) -> httpx.Request:
    url = httpx.URL(call.base_url)
    if url.scheme != "https":
        raise ReceiverUnreachable
    headers = _passed_on(call.request.headers.items(), NOT_FOR_RECEIVERS)
    # httpx would normalise the address; the target given here goes onto the wire as it is.
    extensions: dict[str, object] = {"target": _target(url, call)}
    if call.address:
        # The name is still what TLS asks for and checks.
        headers.append(("host", url.netloc.decode()))
        extensions["sni_hostname"] = url.host
        url = url.copy_with(host=call.address)
    return httpx.Request(
        call.request.method, url, headers=headers, content=call.request.body, extensions=extensions
    )


def _target(url: httpx.URL, call: Call) -> bytes:
    query = f"?{call.request.query}" if call.request.query else ""
    return url.raw_path.rstrip(b"/") + (call.suffix + query).encode("latin-1")


def _passed_on(headers: Iterable[tuple[str, str]], left_out: frozenset[str]) -> list[tuple[str, str]]:
    pairs = list(headers)
    named = {
        name.strip().lower()
        for key, value in pairs
        if key.lower() == "connection"
        for name in value.split(",")
    }
    return [(key, value) for key, value in pairs if key.lower() not in left_out | named]


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
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(make(config, now))
        file.flush()
        context.load_cert_chain(file.name, str(config.client_key_file))
    return context


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
        raise TypeError("the key cannot sign certificates")
    return key
