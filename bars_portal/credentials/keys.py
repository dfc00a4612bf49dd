"""Key pairs and their PEM forms."""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)


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
