"""Reading stored certificates and judging whether they are still good."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from bars_portal.credentials.certificates import Issued, LeafRecipe
from bars_portal.credentials.keys import UnreadableKey, read_tls_key


@dataclass(frozen=True)
class Freshness:
    """Certificates must hold now and for `margin` more."""

    now: datetime
    margin: timedelta

    def covers(self, certificate: x509.Certificate) -> bool:
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        return begins <= self.now and ends > self.now + self.margin


def chain_pem(certificates: Sequence[x509.Certificate]) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def read_chain(pem: bytes | None) -> list[x509.Certificate]:
    """The certificates of a PEM file in their order; none when it is missing or damaged."""
    try:
        return x509.load_pem_x509_certificates(pem or b"")
    except ValueError:
        return []


def read_issued(certificate: x509.Certificate, key_pem: bytes | None) -> Issued | None:
    """The pair, or None when the key is missing, damaged, or another one's."""
    try:
        key = read_tls_key(key_pem or b"")
    except UnreadableKey:
        return None
    return Issued(certificate, key) if certificate.public_key() == key.public_key() else None


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Name and signature; not the dates."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def follows(certificate: x509.Certificate, recipe: LeafRecipe) -> bool:
    """Whether a stored leaf still says what the recipe says (a newer release may ask for other names)."""
    stored = {(extension.value, extension.critical) for extension in certificate.extensions}
    common_names = [name.value for name in certificate.subject]
    return common_names == [recipe.common_name] and stored.issuperset(recipe.extensions())
