"""Certificate files that are renewed while the receiver runs: noticed, and read again whole or not at all."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from django.core.exceptions import ImproperlyConfigured

from bars_portal.exchange.receiver.server.environment import ServerSettings
from bars_portal.exchange.receiver.server.tls import server_context

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
