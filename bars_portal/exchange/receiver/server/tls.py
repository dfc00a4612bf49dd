"""The receiver's side of mutual TLS: the context, its files as they are renewed, and handshakes in progress.

Renewed certificate files are noticed while the receiver runs, and read again whole or not at all. The poller
advances the handshakes, each with a deadline, and so many at once.
"""

import re
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector

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


# Between two looks at the files: the poller comes by many times a second, and a look costs four system calls.
LOOK_SECONDS = 1.0
_END = b"-----END X509 CRL-----"
Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Credentials:
    """One reading of the files. `revoked` holds issuer and serial number of what its list takes back."""

    context: ssl.SSLContext
    revoked: frozenset[tuple[bytes, int]] = frozenset()

    @classmethod
    def read(cls, settings: ServerSettings, *, left_out: list[Path] | None = None) -> "Credentials":
        """Raises ssl.SSLError, OSError or ValueError when the files are unusable or do not fit.

        `left_out`: as of server_context, for a start.
        """
        revoked = _revoked(settings.crl_file) if settings.crl_file else frozenset()
        return cls(server_context(settings, left_out=left_out), revoked)

    def takes_back(self, der: bytes | None) -> bool:
        """Whether a certificate that was good when its connection began is so no more."""
        if not self.revoked or der is None:
            return False
        certificate = x509.load_der_x509_certificate(der)
        return (certificate.issuer.public_bytes(), certificate.serial_number) in self.revoked


@dataclass
class Renewal:
    """Looks at the files now and then; what it read last stays in force until there is something better."""

    settings: ServerSettings
    _seen: tuple[Stamp, ...] = field(default=())
    _next_look: float = 0.0

    def __post_init__(self) -> None:
        self._seen = self._stamps()

    def renewed(self, now: float) -> "Credentials | Unusable | None":
        """None while nothing changed. A key that does not fit its certificate yet is Unusable, once.

        `now` is a moment of the monotonic clock.
        """
        if now < self._next_look:
            return None
        self._next_look = now + LOOK_SECONDS
        stamps = self._stamps()
        if stamps == self._seen:
            return None
        self._seen = stamps
        try:
            return Credentials.read(self.settings)
        except ssl.SSLError as error:
            return Unusable(error.reason or "unreadable")
        except (OSError, ValueError, ImproperlyConfigured) as error:
            return Unusable(type(error).__name__)

    def _stamps(self) -> tuple[Stamp, ...]:
        settings = self.settings
        files = [settings.cert_file, settings.key_file, settings.ca_file, settings.crl_file]
        files += [file for pair in settings.pairs for file in pair]
        return tuple(_stamp(file) for file in files if file)


@dataclass(frozen=True)
class Unusable:
    """Why the files cannot be used as they are now."""

    reason: str


def _stamp(file: Path) -> Stamp:
    try:
        found = file.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _revoked(file: Path) -> frozenset[tuple[bytes, int]]:
    lists = [each + _END for each in file.read_bytes().split(_END)[:-1]]
    found = [x509.load_pem_x509_crl(each) for each in lists]
    return frozenset((each.issuer.public_bytes(), entry.serial_number) for each in found for entry in each)


Address = tuple[str, int]


class Handshakes:
    """The handshakes in progress: the poller advances each as bytes arrive, and drops the slow ones.

    In a request thread a few silent sockets would stop the server (design section 5). `done` and
    `refused` are called in the poller's thread, each once a socket. Sockets are non-blocking; `refused` gets
    the socket to close and a reason in plain words.
    """

    def __init__(
        self,
        poller: BaseSelector,
        *,
        seconds: float,
        most: int,
        done: Callable[[PeerSocket, Address], None],
        refused: Callable[[PeerSocket, Address, str], None],
    ) -> None:
        self._poller, self._seconds, self._most = poller, seconds, most
        self._done, self._refused = done, refused
        # In order of arrival, so the first one is the first to run out of time.
        self._waiting: dict[PeerSocket, tuple[float, Address]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def begin(self, sock: PeerSocket, address: Address) -> None:
        if len(self._waiting) >= self._most:
            # A flood of silent sockets pushes out its own; honest clients need milliseconds.
            self._give_up_oldest("too many at once")
        self._waiting[sock] = (time.monotonic() + self._seconds, address)
        self._poller.register(sock, EVENT_READ, self._advance)

    def drop_late(self) -> None:
        """Refuse every handshake whose time is over."""
        now = time.monotonic()
        while self._waiting:
            deadline, _ = next(iter(self._waiting.values()))
            if deadline > now:
                return
            self._give_up_oldest(f"not finished within {self._seconds:g} s")

    def _give_up_oldest(self, reason: str) -> None:
        sock = next(iter(self._waiting))
        self._refused(sock, self._forget(sock), reason)

    def _advance(self, sock: PeerSocket) -> None:
        """As far as the bytes at hand allow; the poller calls this whenever there are more."""
        if sock not in self._waiting:
            # Given up earlier in this same round of the poller.
            return
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            self._poller.modify(sock, EVENT_READ, self._advance)
        except ssl.SSLWantWriteError:
            self._poller.modify(sock, EVENT_WRITE, self._advance)
        except OSError as error:
            self._refused(sock, self._forget(sock), reason_of(error))
        else:
            self._done(sock, self._forget(sock))

    def _forget(self, sock: PeerSocket) -> Address:
        self._poller.unregister(sock)
        return self._waiting.pop(sock)[1]


def reason_of(error: OSError) -> str:
    """OpenSSL's own word for a failed handshake, without anything the other side sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not accepted, {error.verify_message}"
    # Absent from the few errors that Python itself raises.
    reason: str | None = getattr(error, "reason", None)
    return reason.lower().replace("_", " ") if reason else "connection lost"
