"""Key pairs: their PEM forms, their names, and the public half as a JSON Web Key Set."""

import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Self

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

# Key pairs and their PEM forms.


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


# The name of a signing key: `<Supplier or Provider>-<Environment>-<rotation>` (standard section 1).


ENVIRONMENTS = ("SANDBOX", "DEV", "INT", "PROD", "SIMULATOR")
_FORM = re.compile(
    r"(?P<supplier>[A-Za-z0-9]+)-(?P<environment>[A-Za-z]+)-(?P<rotation>[1-9][0-9]{0,3})", re.ASCII
)


class InvalidKeyId(ValueError):
    """The name breaks the convention. Never carries the name."""


@dataclass(frozen=True)
class KeyId:
    """For example MySupplier-INT-1: supplier, environment (upper case), number of the rotation."""

    supplier: str
    environment: str
    rotation: int
    value: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises InvalidKeyId."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise InvalidKeyId("a key id reads <Supplier>-<Environment>-<rotation>, such as MySupplier-INT-1")
        environment = found["environment"].upper()
        if environment not in ENVIRONMENTS:
            raise InvalidKeyId(f"the environment of a key id is one of {', '.join(ENVIRONMENTS)}")
        return cls(found["supplier"], environment, int(found["rotation"]), text)

    def __str__(self) -> str:
        return self.value


# A public key as a JSON Web Key Set (RFC 7517), the form in which API Management reads it by address.


Jwk = dict[str, str]


def public_jwks(*keys: tuple[str, RSAPublicKey]) -> dict[str, list[Jwk]]:
    """`{"keys": [...]}` of (key id, public key) pairs; during a rotation there are two."""
    return {"keys": [public_jwk(key_id, key) for key_id, key in keys]}


def public_jwk(key_id: str, key: RSAPublicKey) -> Jwk:
    """One signature key for RS512."""
    numbers = key.public_numbers()
    return {
        "kty": "RSA",
        "kid": key_id,
        "use": "sig",
        "alg": "RS512",
        "n": _base64url(numbers.n),
        "e": _base64url(numbers.e),
    }


def _base64url(number: int) -> str:
    """Base64urlUInt of RFC 7518 section 2: big-endian, no padding."""
    octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
