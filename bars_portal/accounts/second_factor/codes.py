"""Codes that people type: by time from an app (TOTP, RFC 6238), and recovery codes. No database."""

import base64
import secrets
from datetime import datetime
from hmac import compare_digest
from io import BytesIO

import segno
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.utils.crypto import salted_hmac

ISSUER = "BaRS portal"
PERIOD_SECONDS = 30
DIGITS = 6
# What every authenticator app understands; RFC 4226 asks for 160 bits.
_SECRET_BYTES = 20
# A phone's clock may be one period off either way.
_TOLERATED_PERIODS = (0, -1, 1)
RECOVERY_CODES = 10
# No vowels and nothing that looks like something else: 16 of 24 signs are 73 bits.
_SIGNS = "23456789BCDFGHJKMPQRTVWX"
_GROUPS, _GROUP_LENGTH = 4, 4


def new_secret() -> bytes:
    return secrets.token_bytes(_SECRET_BYTES)


def typed_secret(secret: bytes) -> str:
    """As somebody types it who cannot scan: base32 in groups of four."""
    text = base64.b32encode(secret).decode()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def provisioning_uri(secret: bytes, username: str) -> str:
    """What the QR code says to the app."""
    return _totp(secret).get_provisioning_uri(username, ISSUER)


def qr_code(text: str) -> str:
    """An SVG as a data address, for an <img>."""
    drawn = BytesIO()
    segno.make_qr(text, error="m").save(drawn, kind="svg", scale=4, border=4, light="#fff")
    return "data:image/svg+xml;base64," + base64.b64encode(drawn.getvalue()).decode()


def code_of(secret: bytes, period: int) -> str:
    """What the app shows in a period of 30 s, counted from 1970."""
    return _totp(secret).generate(period * PERIOD_SECONDS).decode()


def period_of(secret: bytes, code: str, *, now: datetime) -> int | None:
    """The period whose code this is, if it is one of now; else None."""
    typed = compact(code).encode()
    current = int(now.timestamp()) // PERIOD_SECONDS
    for period in (current + each for each in _TOLERATED_PERIODS):
        if compare_digest(code_of(secret, period).encode(), typed):
            return period
    return None


def new_recovery_codes() -> list[str]:
    """As they are shown: "7KQD-..."."""
    return ["-".join(_group() for _ in range(_GROUPS)) for _ in range(RECOVERY_CODES)]


def digest_of(code: str) -> str:
    """What is kept of a recovery code. So long a random one needs no slow hash; SECRET_KEY is the pepper."""
    return salted_hmac("bars_portal.accounts recovery code", compact(code), algorithm="sha256").hexdigest()


def compact(code: str) -> str:
    """Without what people type between the signs."""
    return "".join(code.split()).replace("-", "").upper()


def _group() -> str:
    return "".join(secrets.choice(_SIGNS) for _ in range(_GROUP_LENGTH))


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), PERIOD_SECONDS)  # noqa: S303 - the algorithm that the apps speak
