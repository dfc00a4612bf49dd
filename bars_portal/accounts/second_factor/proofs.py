"""What proves a second factor. No database.

Codes that people type: by time from an app (TOTP, RFC 6238), and recovery codes. Passkeys (WebAuthn level 2),
by the library fido2: what the browser is asked, and what its answer proves.
"""

import base64
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from io import BytesIO
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import segno
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.utils.crypto import salted_hmac
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from bars_portal.accounts.models import Passkey, User

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
# What the browser is asked, and what has to be remembered of it until the answer.
Question = tuple[str, dict[str, Any]]
# What fido2 raises for what it cannot read, or does not believe.
_FAULTS = (ValueError, KeyError, TypeError, AttributeError, IndexError, AssertionError, RecursionError)


def new_app_secret() -> bytes:
    return secrets.token_bytes(_SECRET_BYTES)


def typed_app_secret(secret: bytes) -> str:
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


def recovery_digest(code: str) -> str:
    """What is kept of a recovery code. So long a random one needs no slow hash; SECRET_KEY is the pepper."""
    return salted_hmac("bars_portal.accounts recovery code", compact(code), algorithm="sha256").hexdigest()


def compact(code: str) -> str:
    """Without what people type between the signs."""
    return "".join(code.split()).replace("-", "").upper()


def _group() -> str:
    return "".join(secrets.choice(_SIGNS) for _ in range(_GROUP_LENGTH))


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), PERIOD_SECONDS)  # noqa: S303 - the algorithm that the apps speak


class InvalidAnswer(Exception):
    """The browser's answer proves nothing. Says nothing of what was in it."""


@dataclass(frozen=True)
class Registered:
    """A credential that somebody just made, as it is kept."""

    credential_id: bytes
    credential: bytes
    sign_count: int


@dataclass(frozen=True)
class Asserted:
    """Which credential signed, and how often it says that it has."""

    credential_id: bytes
    sign_count: int


def can_use_passkeys_at(origin: str) -> bool:
    """Browsers have them for names, not for addresses such as 127.0.0.1, and where nobody listens in."""
    parts = urlsplit(origin)
    host = parts.hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return parts.scheme == "https" or host == "localhost"
    return False


def ask_to_register(user: User, known: Iterable[Passkey], *, origin: str) -> Question:
    """A passkey that is known is not made again. The user's handle names nobody to who finds the key."""
    handle = salted_hmac("bars_portal.accounts passkey", str(user.pk), algorithm="sha256").digest()
    options, state = _server(origin).register_begin(
        PublicKeyCredentialUserEntity(id=handle, name=user.get_username(), display_name=user.get_username()),
        credentials=[_opened(each) for each in known],
        resident_key_requirement=ResidentKeyRequirement.PREFERRED,
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    return json.dumps(dict(options)["publicKey"]), state


def read_registration(answer: str, state: Mapping[str, Any], *, origin: str) -> Registered:
    """Raises InvalidAnswer."""
    try:
        data = _server(origin).register_complete(state, json.loads(answer))
        made = data.credential_data
    except _FAULTS:
        raise InvalidAnswer from None
    if made is None:
        raise InvalidAnswer
    return Registered(made.credential_id, bytes(made), data.counter)


def ask_to_assert(known: Iterable[Passkey], *, origin: str) -> Question:
    options, state = _server(origin).authenticate_begin(
        [_opened(each) for each in known], user_verification=UserVerificationRequirement.PREFERRED
    )
    return json.dumps(dict(options)["publicKey"]), state


def read_assertion(
    answer: str, state: Mapping[str, Any], known: Iterable[Passkey], *, origin: str
) -> Asserted:
    """Raises InvalidAnswer."""
    try:
        response = json.loads(answer)
        found = _server(origin).authenticate_complete(state, [_opened(each) for each in known], response)
        counter = AuthenticationResponse.from_dict(response).response.authenticator_data.counter
    except _FAULTS:
        raise InvalidAnswer from None
    return Asserted(found.credential_id, counter)


def _opened(passkey: Passkey) -> AttestedCredentialData:
    return AttestedCredentialData(bytes(passkey.credential))


def _server(origin: str) -> Fido2Server:
    """Answers of this origin alone: the library would take those of its sub-domains too."""
    rp = PublicKeyCredentialRpEntity(id=urlsplit(origin).hostname or "", name=ISSUER)
    return Fido2Server(rp, verify_origin=lambda given: given == origin)
