"""Whose key signs what leaves the database, and whose signatures are believed: files, named by settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from bars_portal.credentials.keys import (
    UnreadableKey,
    is_signed,
    name_of_key,
    read_audit_key,
    read_public_key,
)

Keys = Mapping[str, Ed25519PublicKey]


class Signature(NamedTuple):
    """`key` is the name of the public key that checks it."""

    key: str
    signature: bytes


def can_sign() -> bool:
    return bool(settings.AUDIT_SIGNING_KEY_FILE)


def sign(content: bytes) -> Signature:
    """Raises ImproperlyConfigured where there is no key that can be read."""
    file = settings.AUDIT_SIGNING_KEY_FILE
    if not file:
        raise ImproperlyConfigured("AUDIT_SIGNING_KEY_FILE must name the key that signs the audit chain.")
    try:
        key = read_audit_key(Path(file).read_bytes())
    except (UnreadableKey, OSError):
        raise ImproperlyConfigured("AUDIT_SIGNING_KEY_FILE must be an Ed25519 key in PEM.") from None
    return Signature(name_of_key(key.public_key()), key.sign(content))


def believed_keys() -> Keys:
    """By name: the public half of our own key, and AUDIT_PUBLIC_KEY_FILES. Raises ImproperlyConfigured."""
    try:
        keys = [read_public_key(Path(file).read_bytes()) for file in settings.AUDIT_PUBLIC_KEY_FILES]
    except (UnreadableKey, OSError):
        raise ImproperlyConfigured("AUDIT_PUBLIC_KEY_FILES must be Ed25519 public keys in PEM.") from None
    own = settings.AUDIT_SIGNING_KEY_FILE
    # Who verifies need not be able to read the private key.
    if own and not keys:
        try:
            keys = [read_audit_key(Path(own).read_bytes()).public_key()]
        except (UnreadableKey, OSError):
            raise ImproperlyConfigured("AUDIT_SIGNING_KEY_FILE must be an Ed25519 key in PEM.") from None
    return {name_of_key(key): key for key in keys}


def is_believed(keys: Keys, content: bytes, signature: Signature) -> bool:
    key = keys.get(signature.key)
    return key is not None and is_signed(key, signature.signature, content)
