"""Key pairs: their PEM forms, names and secret files; what goes out of them; the key of the audit chain.

A secret file is written whole or not at all, and readable by its owner only. Out go the certificate request,
the key set at a public address, and the PKCS12 file. An Ed25519 key signs heads of the audit chain.
"""

import base64
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from bars_portal.credentials.environments import KEY_ID_WORDS

SECRET = 0o600
PUBLIC = 0o644
_FOLDER = 0o700


def private_folder(directory: Path) -> None:
    """Make the folder, or tighten the mode of an existing one."""
    directory.mkdir(mode=_FOLDER, parents=True, exist_ok=True)
    keep_mode(directory, _FOLDER)


def write_whole(path: Path, content: bytes, *, mode: int) -> None:
    """Replace the file in one step: a reader sees the old bytes or the new, and never a wider mode."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def keep_mode(path: Path, mode: int) -> None:
    """Set the mode only where it differs, so that nothing changes on a second start."""
    if path.stat().st_mode & 0o777 != mode:
        path.chmod(mode)


def read_if_there(path: Path) -> bytes | None:
    """The bytes, or None when the file is missing or cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return None


_KEY_ID = re.compile(r"[A-Za-z0-9]+-(?P<environment>[A-Za-z]+)-[1-9][0-9]{0,3}", re.ASCII)


class InvalidKeyId(ValueError):
    """The name breaks the convention. Never carries the name."""


class UnreadableKey(ValueError):
    """The bytes are no unencrypted private key of the expected kind. Never carries them."""


def new_signing_key(*, bits: int = 4096) -> RSAPrivateKey:
    """A key for RS512 assertions; the onboarding guide asks for 4096 bits, tests may take 2048."""
    return generate_rsa(public_exponent=65537, key_size=bits)


def new_tls_key() -> EllipticCurvePrivateKey:
    """P-256: handshakes cost a fraction of those with RSA."""
    return generate_private_key(SECP256R1())


def private_pem(key: RSAPrivateKey | EllipticCurvePrivateKey) -> bytes:
    """PKCS8, unencrypted: protected by the mode of its file."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key: RSAPublicKey) -> bytes:
    """SubjectPublicKeyInfo, the form that API Management takes."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def chain_pem(certificates: Sequence[x509.Certificate]) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def read_signing_key(pem: bytes) -> RSAPrivateKey:
    """Raises UnreadableKey."""
    key = _read(pem)
    if not isinstance(key, RSAPrivateKey):
        raise UnreadableKey("not an RSA private key")
    return key


def read_tls_key(pem: bytes) -> EllipticCurvePrivateKey:
    """Raises UnreadableKey."""
    key = _read(pem)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise UnreadableKey("not an elliptic curve private key")
    return key


def _read(pem: bytes) -> object:
    try:
        return load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UnreadableKey("not an unencrypted PEM private key") from None


def check_key_id(text: str) -> None:
    """A signing key's name is `<Supplier or Provider>-<Environment>-<rotation>` (standard section 1).

    Raises InvalidKeyId.
    """
    found = _KEY_ID.fullmatch(text)
    if found is None:
        raise InvalidKeyId("a key id reads <Supplier>-<Environment>-<rotation>, such as MySupplier-INT-1")
    if found["environment"].upper() not in KEY_ID_WORDS:
        raise InvalidKeyId(f"the environment of a key id is one of {', '.join(KEY_ID_WORDS)}")


LEAST_PASSWORD = 12


def new_request(key: RSAPrivateKey, fqdn: str) -> bytes:
    """A CSR (PEM) with the common name alone; every other field is left out, the e-mail above all."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, fqdn)])
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject)
        .sign(key, SHA256())
        .public_bytes(Encoding.PEM)
    )


def key_set(keys: Mapping[str, RSAPublicKey]) -> dict[str, Any]:
    """A JSON Web Key Set (RFC 7517) by key id: in a rotation it holds the old key and the new."""
    return {"keys": [_jwk(key_id, key) for key_id, key in keys.items()]}


def _jwk(key_id: str, key: RSAPublicKey) -> dict[str, str]:
    numbers = key.public_numbers()
    return {
        "kty": "RSA",
        "use": "sig",
        "alg": "RS512",
        "kid": key_id,
        "n": _number(numbers.n),
        "e": _number(numbers.e),
    }


def _number(value: int) -> str:
    """Base64urlUInt of RFC 7518 section 2."""
    content = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def bundle(
    key: RSAPrivateKey, certificates: Sequence[x509.Certificate], *, password: str, name: str
) -> bytes:
    """PKCS12 (.pfx): the key, the receiver's certificate, and those above it. Raises ValueError.

    `password` has at least LEAST_PASSWORD characters.
    """
    if len(password) < LEAST_PASSWORD:
        raise ValueError(f"The password must have at least {LEAST_PASSWORD} characters.")
    leaf, *above = certificates
    protection = BestAvailableEncryption(password.encode())
    return pkcs12.serialize_key_and_certificates(name.encode(), key, leaf, above, protection)


_NAME_LENGTH = 16


def ensure_audit_key(directory: Path) -> Path:
    """`audit.key` and `audit.public.pem`, made when missing or damaged. The private key's file."""
    private_folder(directory)
    private_file, public_file = directory / "audit.key", directory / "audit.public.pem"
    try:
        key = read_audit_key(read_if_there(private_file) or b"")
    except UnreadableKey:
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_whole(private_file, pem, mode=SECRET)
    keep_mode(private_file, SECRET)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if read_if_there(public_file) != public:
        write_whole(public_file, public, mode=PUBLIC)
    return private_file


def read_audit_key(pem: bytes) -> Ed25519PrivateKey:
    """Raises UnreadableKey."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UnreadableKey("not an unencrypted PEM private key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UnreadableKey("not an Ed25519 private key")
    return key


def read_public_key(pem: bytes) -> Ed25519PublicKey:
    """Raises UnreadableKey."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UnreadableKey("not a PEM public key") from None
    if not isinstance(key, Ed25519PublicKey):
        raise UnreadableKey("not an Ed25519 public key")
    return key


def name_of_key(key: Ed25519PublicKey) -> str:
    """The first 16 hex digits of the SHA-256 of its 32 bytes: which key signed, after a rotation too."""
    return sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:_NAME_LENGTH]


def is_signed(key: Ed25519PublicKey, signature: bytes, content: bytes) -> bool:
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True
