"""The Ed25519 key that signs heads of the audit chain, and the public keys that check them."""

from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from bars_portal.credentials.files import (
    PUBLIC,
    SECRET,
    keep_mode,
    private_folder,
    read_if_there,
    write_whole,
)
from bars_portal.credentials.keys import UnreadableKey

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
