"""Keeps a short secret unreadable in the database: Fernet under a key derived from SECRET_KEY."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes

# Binds the derived key to this one purpose; another purpose needs another label.
_LABEL = b"bars_portal.exchange access token"


def seal(secret: bytes) -> bytes:
    return _fernet().encrypt(secret)


def unseal(sealed: bytes) -> bytes | None:
    """The secret, or None when it was sealed under another SECRET_KEY (which is then as good as lost)."""
    try:
        return _fernet().decrypt(sealed)
    except InvalidToken:
        return None


def _fernet() -> Fernet:
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=_LABEL)
    return Fernet(base64.urlsafe_b64encode(derive.derive(force_bytes(settings.SECRET_KEY))))
