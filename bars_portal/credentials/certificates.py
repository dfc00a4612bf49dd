"""Issuing certificates of a local test PKI, shaped like the NHS chain: root, intermediate, leaf."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bars_portal.credentials.extensions import (
    Extension,
    authority_extensions,
    leaf_extensions,
    link_extensions,
)
from bars_portal.credentials.keys import new_tls_key

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
    usage: x509.ObjectIdentifier
    dns_names: tuple[str, ...]
    addresses: tuple[IPv4Address | IPv6Address, ...] = ()

    def extensions(self) -> list[Extension]:
        return leaf_extensions(usage=self.usage, dns_names=self.dns_names, addresses=self.addresses)


def new_root(common_name: str, *, now: datetime, lifetime: timedelta) -> Issued:
    """A self-signed authority with room for one intermediate."""
    return _issue(common_name, authority_extensions(1), issuer=None, now=now, lifetime=lifetime)


def new_intermediate(common_name: str, *, issuer: Issued, now: datetime, lifetime: timedelta) -> Issued:
    """An authority that signs leaves only."""
    return _issue(common_name, authority_extensions(0), issuer=issuer, now=now, lifetime=lifetime)


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
    for extension, critical in [*extensions, *link_extensions(key.public_key(), signer.public_key())]:
        builder = builder.add_extension(extension, critical)
    return Issued(builder.sign(signer, SHA256()), key)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
