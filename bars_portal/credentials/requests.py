"""What goes out: the certificate request, the key set at a public address, and the PKCS12 file."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from cryptography.x509.oid import NameOID

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
