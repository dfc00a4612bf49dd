"""Every certificate, revocation list and key in use: what it is, when it ends, and where it is configured."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha1, sha256
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from django.conf import settings

from bars_portal.credentials.acceptance import name_of
from bars_portal.exchange.gateway.senders import connections
from bars_portal.exchange.models import SeenCertificate
from bars_portal.nhsuk.dates import format_date

# Staff are told when something ends within so many days, once for each of them.
ALARM_DAYS = (60, 30, 14, 7, 1)
# A caller that has come with another certificate since, or not for so long, does not use it any more.
_SEEN_WITHIN = timedelta(days=30)
_MOST_SEEN = 200
# More than any chain; a file that is something else is not read whole.
_MOST_BYTES = 1_000_000
_EACH_HAS_ONE = "RECEIVER_CERTIFICATES_FOLDER"


class Kind(StrEnum):
    CERTIFICATE = "Certificate"
    AUTHORITY = "Authority"
    REVOCATION_LIST = "Revocation list"
    KEY = "Key"
    PRESENTED = "Presented by callers"
    UNREADABLE = "Not readable"


@dataclass(frozen=True)
class Watched:
    """`sha1` and `sha256` in hex; of a key they are of its public half (SubjectPublicKeyInfo).

    `ends_at` is None for what never ends by itself. `places`: settings with the name of their file.
    """

    kind: Kind
    name: str
    issuer: str
    sha1: str
    sha256: str
    ends_at: datetime | None
    places: tuple[str, ...]
    seen_at: datetime | None = None

    def days_left(self, now: datetime) -> int | None:
        """Whole days; below 0 when it has ended."""
        return None if self.ends_at is None else (self.ends_at - now) // timedelta(days=1)

    def alarm(self, now: datetime) -> int | None:
        """The smallest of ALARM_DAYS within which it ends; None: later, or never."""
        if self.ends_at is None:
            return None
        within = [days for days in ALARM_DAYS if self.ends_at <= now + timedelta(days=days)]
        return min(within, default=None)


def watched(*, now: datetime) -> list[Watched]:
    """What ends first comes first, what never ends last; the same thing in two places stands once."""
    return _gathered((*_of_files(), *_of_keys(), *_of_callers(now)), now)


def _gathered(things: Iterable[Watched], now: datetime) -> list[Watched]:
    found: dict[tuple[Kind, str, str], Watched] = {}
    for each in things:
        key = (each.kind, each.sha256, "" if each.sha256 else each.name)
        earlier = found.get(key)
        places = tuple(dict.fromkeys((*(earlier.places if earlier else ()), *each.places)))
        found[key] = replace(earlier or each, places=places)
    return sorted(found.values(), key=lambda each: (each.ends_at is None, each.ends_at or now, each.name))


def ending(*, now: datetime) -> list[Watched]:
    """What has ended, ends within the longest of ALARM_DAYS, or cannot be read.

    Keys never end, and reading them takes too long for a page that everybody opens first.
    """
    found = _gathered((*_of_files(), *_of_callers(now)), now)
    return [each for each in found if each.kind is Kind.UNREADABLE or each.alarm(now) is not None]


def ends_in_words(each: Watched, now: datetime) -> str:
    """ "ends in 12 days, on 3 May 2026"; "ended on ..."; "never ends by itself"."""
    days = each.days_left(now)
    if each.kind is Kind.UNREADABLE:
        return "cannot be read here"
    if each.ends_at is None or days is None:
        return "never ends by itself"
    on = f"on {format_date(each.ends_at)}"
    if each.ends_at <= now:
        return f"ended {on}"
    return f"ends in {days} day{'' if days == 1 else 's'}, {on}" if days else f"ends within a day, {on}"


# -- files


def certificate_files() -> Mapping[str, str]:
    """Paths by the setting that names them, with what was set only."""
    listed = {
        f"BARS_WATCHED_CERTIFICATES ({number})": path
        for number, path in enumerate(settings.BARS_WATCHED_CERTIFICATES, 1)
    }
    names = ("RECEIVER_CERT_FILE", "RECEIVER_CA_FILE", "RECEIVER_CRL_FILE", "RECEIVER_HEALTH_CERT_FILE")
    own = {name: settings.RECEIVER[name] for name in names if settings.RECEIVER[name]}
    own |= {f"{_EACH_HAS_ONE} ({each.parent.name})": str(each) for each in _of_organisations()}
    return {**own, **{name: path for name, path in listed.items() if path not in own.values()}}


def _of_organisations() -> list[Path]:
    """The certificate of each organisation whose receiver has a name of its own."""
    folder = settings.RECEIVER[_EACH_HAS_ONE]
    return sorted(Path(folder).glob("*/receiver.pem")) if folder else []


def read_file(path: str) -> bytes:
    """Raises OSError."""
    with Path(path).open("rb") as stream:
        return stream.read(_MOST_BYTES)


def _of_files() -> Iterator[Watched]:
    for setting, path in certificate_files().items():
        name = _name_of_file(setting, Path(path))
        place = f"{setting.partition(' ')[0]}: {name}"
        try:
            content = read_file(path)
            things = [*_lists(content), *_certificates(content)]
        except (OSError, ValueError):
            things = []
        if not things:
            yield Watched(Kind.UNREADABLE, name, "", "", "", None, (place,))
        for each in things:
            yield replace(each, places=(place,))


def _name_of_file(setting: str, file: Path) -> str:
    """With the folder, which is the organisation's code, where each has such a file."""
    return f"{file.parent.name}/{file.name}" if setting.startswith(_EACH_HAS_ONE) else file.name


def _certificates(content: bytes) -> list[Watched]:
    if b"BEGIN CERTIFICATE" not in content:
        return []
    return [_described(each) for each in x509.load_pem_x509_certificates(content)]


def _described(certificate: x509.Certificate) -> Watched:
    return Watched(
        Kind.AUTHORITY if is_authority(certificate) else Kind.CERTIFICATE,
        name_of(certificate.subject) or certificate.subject.rfc4514_string(),
        name_of(certificate.issuer) or certificate.issuer.rfc4514_string(),
        *_fingerprints(certificate.public_bytes(Encoding.DER)),
        certificate.not_valid_after_utc,
        places=(),
    )


def is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


_CRL_END = b"-----END X509 CRL-----"


def _lists(content: bytes) -> list[Watched]:
    found = [x509.load_pem_x509_crl(each + _CRL_END) for each in content.split(_CRL_END)[:-1]]
    return [
        Watched(
            Kind.REVOCATION_LIST,
            f"Revocation list of {name_of(each.issuer)}",
            name_of(each.issuer),
            *_fingerprints(each.public_bytes(Encoding.DER)),
            each.next_update_utc,
            places=(),
        )
        for each in found
    ]


def _fingerprints(der: bytes) -> tuple[str, str]:
    """SHA-1, which the published tables have and nothing is trusted by, and SHA-256."""
    return sha1(der, usedforsecurity=False).hexdigest(), sha256(der).hexdigest()


# -- keys


def key_files() -> Mapping[str, tuple[str, str]]:
    """Path and name of each private key in use, by its setting."""
    bars = settings.BARS
    kept = {
        "BARS_PRIVATE_KEY_FILE": (bars["PRIVATE_KEY_FILE"], bars["KEY_ID"]),
        "BARS_NEXT_PRIVATE_KEY_FILE": (bars["NEXT_PRIVATE_KEY_FILE"], bars["NEXT_KEY_ID"]),
        "CIS2_PRIVATE_KEY_FILE": (settings.CIS2["PRIVATE_KEY_FILE"], "NHS CIS2"),
        "RECEIVER_KEY_FILE": (settings.RECEIVER["RECEIVER_KEY_FILE"], "The receiver's"),
        "AUDIT_SIGNING_KEY_FILE": (settings.AUDIT_SIGNING_KEY_FILE, "Heads of the audit trail"),
    }
    return {setting: (path, name) for setting, (path, name) in kept.items() if path}


def public_der(path: str) -> bytes:
    """The public half of a private key's file. Raises OSError and ValueError, neither with its content."""
    try:
        key = load_pem_private_key(read_file(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("no private key that can be read") from None
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _of_keys() -> Iterator[Watched]:
    own = {setting: (path, name, Path(path).name) for setting, (path, name) in key_files().items()}
    for row in connections():
        file = Path(row.private_key_file)
        own[f"Connection of {row.organisation.ods_code}"] = str(file), row.key_id, file.name
    for setting, (path, name, file_name) in own.items():
        place = f"{setting}: {file_name}"
        try:
            fingerprints = _fingerprints(public_der(path))
        except (OSError, ValueError):
            # A process need not be able to read every key; whether it must, bars_doctor says.
            continue
        yield Watched(Kind.KEY, name, "", *fingerprints, None, (place,))


# -- what callers present


def _of_callers(now: datetime) -> Iterator[Watched]:
    """Of each name the one that came last."""
    rows = SeenCertificate.objects.filter(last_seen_at__gt=now - _SEEN_WITHIN)
    latest: dict[str, SeenCertificate] = {}
    for row in rows.order_by("-last_seen_at")[:_MOST_SEEN]:
        latest.setdefault(row.name, row)
    for name, row in latest.items():
        place = "Presented to the receiver: whoever calls renews it"
        yield Watched(
            Kind.PRESENTED,
            name,
            row.issuer,
            "",
            row.fingerprint,
            row.expires_at,
            (place,),
            row.last_seen_at,
        )


# -- for figures: one number for each file


@dataclass(frozen=True)
class Expiry:
    """Of one watched file, by its name: when the first thing in it ends; None: it cannot be read."""

    name: str
    ends_at: datetime | None


def expiries() -> list[Expiry]:
    """Certificates, chains and revocation lists."""
    names = {path: _name_of_file(setting, Path(path)) for setting, path in certificate_files().items()}
    return [Expiry(name, _ends_at(path)) for path, name in names.items()]


def _ends_at(path: str) -> datetime | None:
    try:
        content = read_file(path)
        ends = [each.ends_at for each in (*_lists(content), *_certificates(content)) if each.ends_at]
    except (OSError, ValueError):
        return None
    return min(ends, default=None)


def first_presented(*, now: datetime) -> datetime | None:
    """When the first of the certificates ends that callers present."""
    return min((each.ends_at for each in _of_callers(now) if each.ends_at), default=None)
