"""Key pairs: their PEM forms and their names."""

import re

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

from bars_portal.credentials.environments import KEY_ID_WORDS

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
