"""Keeps something unreadable in the database: Fernet under a key derived from SECRET_KEY."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes


class Sealer:
    """`label` binds the derived key to one purpose; another purpose needs another label."""

    def __init__(self, label: str) -> None:
        self._label = label.encode()

    def seal(self, secret: bytes) -> bytes:
        return self._fernet().encrypt(secret)

    def unseal(self, sealed: bytes) -> bytes | None:
        """The secret, or None when it was sealed under another SECRET_KEY (which is then as good as lost)."""
        try:
            return self._fernet().decrypt(sealed)
        except InvalidToken:
            return None

    def _fernet(self) -> Fernet:
        derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=self._label)
        return Fernet(base64.urlsafe_b64encode(derive.derive(force_bytes(settings.SECRET_KEY))))
