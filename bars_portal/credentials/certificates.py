"""Issuing and judging the certificates of a local test PKI, shaped like the NHS chain."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bars_portal.credentials.keys import UnreadableKey, new_tls_key, read_tls_key

Extension = tuple[x509.ExtensionType, bool]  # the extension and whether it is critical


SERVER = ExtendedKeyUsageOID.SERVER_AUTH
CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
# Clocks of the machines that meet here may differ.
_BACKDATED = timedelta(days=1)


@dataclass(frozen=True)
class Issued:
    """A certificate with its private key; an authority when its basicConstraints say so."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey


@dataclass(frozen=True)
class LeafRecipe:
    """What a leaf says: its common name, what it may be used for, and its alternative names."""

    common_name: str
    usage: x509.ObjectIdentifier  # serverAuth or clientAuth
    dns_names: tuple[str, ...]
    addresses: tuple[IPv4Address | IPv6Address, ...] = ()

    def extensions(self) -> list[Extension]:
        """RFC 5280 section 4.2; Python 3.13 insists on the first two."""
        names: list[x509.GeneralName] = [x509.DNSName(name) for name in self.dns_names]
        names += [x509.IPAddress(address) for address in self.addresses]
        return [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_key_usage(signs_certificates=False), True),
            (x509.ExtendedKeyUsage([self.usage]), False),
            (x509.SubjectAlternativeName(names), False),
        ]


def new_root(common_name: str, *, now: datetime, lifetime: timedelta) -> Issued:
    """A self-signed authority with room for one intermediate."""
    return _issue(common_name, _authority_extensions(1), issuer=None, now=now, lifetime=lifetime)


def new_intermediate(common_name: str, *, issuer: Issued, now: datetime, lifetime: timedelta) -> Issued:
    """An authority that signs leaves only."""
    return _issue(common_name, _authority_extensions(0), issuer=issuer, now=now, lifetime=lifetime)


def new_leaf(recipe: LeafRecipe, *, issuer: Issued, now: datetime, lifetime: timedelta) -> Issued:
    """A server's or client's certificate."""
    return _issue(recipe.common_name, recipe.extensions(), issuer=issuer, now=now, lifetime=lifetime)


def _issue(
    common_name: str,
    extensions: Sequence[Extension],
    *,
    issuer: Issued | None,
    now: datetime,
    lifetime: timedelta,
) -> Issued:
    """Signed by the issuer, or by itself where there is none."""
    key, subject = new_tls_key(), _name(common_name)
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + lifetime)
    )
    for extension, critical in [*extensions, *_link_extensions(key.public_key(), signer.public_key())]:
        builder = builder.add_extension(extension, critical)
    return Issued(builder.sign(signer, SHA256()), key)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _authority_extensions(path_length: int) -> list[Extension]:
    """`path_length` = how many authorities may follow below."""
    return [
        (x509.BasicConstraints(ca=True, path_length=path_length), True),
        (_key_usage(signs_certificates=True), True),
    ]


def _link_extensions(public: EllipticCurvePublicKey, issuer: EllipticCurvePublicKey) -> list[Extension]:
    """The key identifiers by which chains are built."""
    return [
        (x509.SubjectKeyIdentifier.from_public_key(public), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), False),
    ]


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


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
