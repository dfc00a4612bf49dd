"""A public key as a JSON Web Key Set (RFC 7517), the form in which API Management reads it by address."""

from base64 import urlsafe_b64encode

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

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
