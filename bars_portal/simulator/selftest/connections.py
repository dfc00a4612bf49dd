"""Connections to the receiver under test, and what goes over them and comes back, kept as it is."""

import datetime as dt
import ipaddress
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bars_portal.simulator.selftest.model import Exchange
from bars_portal.simulator.selftest.requests import Outgoing

OWN, NONE, STRANGER, WRONG_NAME = "own", "none", "stranger", "wrong-name"
CERTIFICATES = frozenset({OWN, NONE, STRANGER, WRONG_NAME})
TIMEOUT_SECONDS = 40.0


class TargetError(Exception):
    """The target cannot be used as it was given; the text says why."""


@dataclass(frozen=True)
class Target:
    """The receiver's base URL and the files for mutual TLS. Plain http is for this computer only."""

    url: str
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    wrong_name: tuple[Path, Path] | None = None
    # Where to connect, when that is not what the URL's host says by DNS.
    address: str = ""

    @property
    def has_tls(self) -> bool:
        """Whether certificates mean anything here."""
        return urlsplit(self.url).scheme == "https"


class Connections:
    """One kept-alive client for each kind of certificate. Raises TargetError for unusable files."""

    def __init__(self, target: Target) -> None:
        require_usable(target)
        self._target = target
        self._lock = Lock()
        self._clients: dict[str, httpx.Client] = {}

    def offers(self, certificate: str) -> bool:
        """Whether the scenario's certificate can be shown to this target."""
        if not self._target.has_tls:
            return certificate == OWN
        return certificate != WRONG_NAME or self._target.wrong_name is not None

    def client(self, certificate: str) -> httpx.Client:
        """The client that shows it."""
        with self._lock:
            if certificate not in self._clients:
                self._clients[certificate] = self._open(certificate)
            return self._clients[certificate]

    def close(self) -> None:
        """Closes every connection."""
        for client in self._clients.values():
            client.close()

    def _open(self, certificate: str) -> httpx.Client:
        verify = self._context(certificate) if self._target.has_tls else False
        url, hooks = httpx.URL(self._target.url), []
        if self._target.address:
            hooks.append(_named(url))
            url = url.copy_with(host=self._target.address)
        return httpx.Client(
            base_url=url,
            verify=verify,
            trust_env=False,
            timeout=TIMEOUT_SECONDS,
            event_hooks={"request": hooks},
        )

    def _context(self, certificate: str) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=str(self._target.ca) if self._target.ca else None)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            self._show(context, certificate)
        except OSError as problem:
            raise TargetError(f"the certificate files cannot be used: {type(problem).__name__}") from problem
        return context

    def _show(self, context: ssl.SSLContext, certificate: str) -> None:
        if certificate == STRANGER:
            _load_stranger(context)
        elif certificate == WRONG_NAME and self._target.wrong_name:
            context.load_cert_chain(*map(str, self._target.wrong_name))
        elif certificate == OWN and self._target.certificate:
            key = self._target.key
            context.load_cert_chain(str(self._target.certificate), str(key) if key else None)


def _named(url: httpx.URL) -> Callable[[httpx.Request], None]:
    """The name is still what TLS asks for and checks, and what stands in the Host header."""

    def name(request: httpx.Request) -> None:
        request.extensions["sni_hostname"] = url.host
        request.headers["Host"] = url.netloc.decode()

    return name


def require_usable(target: Target) -> None:
    parts = urlsplit(target.url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise TargetError("the target is no http or https URL")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise TargetError("plain http is for receivers on this computer only")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _load_stranger(context: ssl.SSLContext) -> None:
    """A certificate that nobody signed but itself, good for an hour and gone with the file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stranger.example")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "stranger.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(private + made.public_bytes(Encoding.PEM))
        context.load_cert_chain(str(file))


class NoAnswer(Exception):
    """The connection was refused, broken or silent; the text says which."""


def send(client: httpx.Client, outgoing: Outgoing) -> Exchange:
    """One request. Raises NoAnswer."""
    request = client.build_request(
        outgoing.method, client.base_url, headers=dict(outgoing.headers), content=_content(outgoing)
    )
    # What httpx adds by itself would hide what the scenario leaves out.
    for name in {"accept", "user-agent", "accept-encoding"} - {each.lower() for each in outgoing.headers}:
        del request.headers[name]
    # httpx would normalise the address; the target given here goes onto the wire as it is.
    target = client.base_url.raw_path.rstrip(b"/") + outgoing.path.encode()
    request.extensions["target"] = target
    began = time.monotonic()
    try:
        answer = client.send(request)
    except httpx.TransportError as problem:
        raise NoAnswer(type(problem).__name__) from problem
    return Exchange(
        method=outgoing.method,
        url=f"{str(client.base_url).rstrip('/')}{outgoing.path}",
        headers={name.lower(): value for name, value in request.headers.items()},
        body=outgoing.body,
        status=answer.status_code,
        answer_headers={name.lower(): value for name, value in answer.headers.items()},
        answer_body=answer.content,
        seconds=time.monotonic() - began,
    )


def send_copies(client: httpx.Client, outgoing: Outgoing, copies: int) -> list[Exchange]:
    """The very same request once, or several times at once. Raises NoAnswer."""
    with ThreadPoolExecutor(copies) as pool:
        return list(pool.map(lambda _: send(client, outgoing), range(copies)))


def _content(outgoing: Outgoing) -> bytes | Iterator[bytes] | None:
    if outgoing.chunked:
        return (outgoing.body[at : at + 1000] for at in range(0, len(outgoing.body), 1000))
    return outgoing.body if outgoing.method == "POST" or outgoing.body else None
