"""Certificates as an issuing desk might make them, right and wrong; keys are made once a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bars_portal.credentials.environments import ENVIRONMENTS

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
FQDN = "BaRS-INT-X26.MySupplier.thirdparty.nhs.uk"


def rsa_key(purpose: str, bits: int = 2048) -> RSAPrivateKey:
    """The same one for the same purpose."""
    return _made(purpose, bits)


@cache
def _made(_purpose: str, bits: int) -> RSAPrivateKey:
    return generate_private_key(65537, bits)


@dataclass(frozen=True)
class Recipe:
    """A certificate to be made. `signed_by` is the purpose of the key that signs."""

    name: str
    issuer: str
    key: str
    signed_by: str
    is_authority: bool = False
    bits: int = 2048
    names: Sequence[str] | None = None
    begins: datetime = NOW - timedelta(days=1)
    ends: datetime = NOW + timedelta(days=365)
    usages: Sequence[x509.ObjectIdentifier] = (
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CLIENT_AUTH,
    )

    def make(self) -> x509.Certificate:
        """Signed by the key of `signed_by`."""
        key = rsa_key(self.key, self.bits)
        return self.for_key(key.public_key())

    def for_key(self, public: RSAPublicKey) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(self.name))
            .issuer_name(_name(self.issuer))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.begins)
            .not_valid_after(self.ends)
            .add_extension(x509.BasicConstraints(ca=self.is_authority, path_length=None), critical=True)
        )
        names = ([] if self.is_authority else [self.name]) if self.names is None else self.names
        if names:
            alternatives = x509.SubjectAlternativeName([x509.DNSName(each) for each in names])
            builder = builder.add_extension(alternatives, critical=False)
        if not self.is_authority:
            builder = builder.add_extension(x509.ExtendedKeyUsage(self.usages), critical=False)
        return builder.sign(rsa_key(self.signed_by), hashes.SHA256())


def _name(common_name: str) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "nhs")]
    if common_name:
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    return x509.Name(attributes)


def authority(environment: str, **changes: object) -> tuple[x509.Certificate, x509.Certificate]:
    """Intermediate and root with the published names of an environment."""
    chain = ENVIRONMENTS[environment].chain
    root, issuer = chain.root.common_name, chain.issuer.common_name
    above = Recipe(root, root, f"{environment} root", f"{environment} root", is_authority=True)
    below = Recipe(
        issuer,
        root,
        f"{environment} intermediate",
        f"{environment} root",
        is_authority=True,
        **changes,  # type: ignore[arg-type]  # fields of the recipe
    )
    return below.make(), above.make()


def leaf_recipe(environment: str = "int", name: str = FQDN, **changes: object) -> Recipe:
    """What the desk of an environment issues for the receiver's key."""
    return Recipe(
        **{  # type: ignore[arg-type]  # fields of the recipe
            "name": name,
            "issuer": ENVIRONMENTS[environment].chain.issuer.common_name,
            "key": "receiver",
            "signed_by": f"{environment} intermediate",
            **changes,
        }
    )


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)
