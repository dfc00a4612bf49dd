"""The environment's own authority: root, intermediate, the proxy's client certificate, and what it issues."""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ROOT, INTERMEDIATE = "Simulated NHS PTL Root Authority", "Simulated NHS INT Level 1C"
PROXY = "int.api.service.nhs.uk"
_LONG, _LEAF = timedelta(days=3650), timedelta(days=365)
_BACKDATED = timedelta(days=1)


@dataclass(frozen=True)
class Authority:
    """`chain` holds the root, then the intermediate, whose key signs."""

    root: x509.Certificate
    intermediate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    chain_file: Path
    proxy_file: Path
    proxy_key_file: Path

    @property
    def thumbprint(self) -> str:
        """The root's SHA-1, as the published tables have them."""
        return self.root.fingerprint(SHA1()).hex()  # noqa: S303 - it is what is published

    def issue(self, name: str, public: CertificatePublicKeyTypes, *, now: datetime) -> x509.Certificate:
        """For servers and clients, with its name as subject alternative name too, good for a year."""
        return _issued(name, public, self.intermediate, self.key, now=now)


def ensure_authority(folder: Path, *, now: datetime) -> Authority:
    """Read from the folder, or made there when something is missing or has ended."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / name for name in ("chain.pem", "issuer.key", "proxy.pem", "proxy.key")]
    chain_file, key_file, proxy_file, proxy_key_file = files
    if not all(file.is_file() for file in files) or _has_ended(proxy_file, now):
        _make(chain_file, key_file, proxy_file, proxy_key_file, now)
    root, intermediate = x509.load_pem_x509_certificates(chain_file.read_bytes())
    key = load_pem_private_key(key_file.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("the authority's key is of another kind")
    return Authority(root, intermediate, key, chain_file, proxy_file, proxy_key_file)


def _has_ended(file: Path, now: datetime) -> bool:
    return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc < now + timedelta(days=30)


def _make(chain_file: Path, key_file: Path, proxy_file: Path, proxy_key_file: Path, now: datetime) -> None:
    root_key, key, proxy_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root = _authority(ROOT, root_key, ROOT, root_key, now)
    intermediate = _authority(INTERMEDIATE, key, ROOT, root_key, now)
    proxy = _issued(PROXY, proxy_key.public_key(), intermediate, key, now=now)
    _write(proxy_key_file, _private(proxy_key), mode=0o600)
    _write(proxy_file, pem(proxy, intermediate), mode=0o644)
    _write(key_file, _private(key), mode=0o600)
    _write(chain_file, pem(root, intermediate), mode=0o644)


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(file: Path, content: bytes, *, mode: int) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)


def _name(common_name: str) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "nhs")]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    name: str, issuer: x509.Name, public: CertificatePublicKeyTypes, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + life)
    )


def _authority(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    now: datetime,
) -> x509.Certificate:
    usage = _usage(signs=True)
    builder = _builder(name, _name(issuer), key.public_key(), now, _LONG)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(usage, critical=True)
    return _linked(builder, key.public_key(), issuer_key).sign(issuer_key, SHA256())


def _issued(
    name: str,
    public: CertificatePublicKeyTypes,
    issuer: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    *,
    now: datetime,
) -> x509.Certificate:
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = _builder(name, issuer.subject, public, now, _LEAF)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return _linked(builder, public, key).sign(key, SHA256())


def _linked(
    builder: x509.CertificateBuilder, public: CertificatePublicKeyTypes, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    of_issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    builder = builder.add_extension(of_issuer, critical=False)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=not signs,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
