"""Passkeys (WebAuthn level 2) by the library fido2: what the browser is asked, and what its answer proves."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

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
from bars_portal.accounts.second_factor.codes import ISSUER

# What the browser is asked, and what has to be remembered of it until the answer.
Question = tuple[str, dict[str, Any]]


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


def can_be_used_at(origin: str) -> bool:
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


# What the library raises for what it cannot read, or does not believe.
_FAULTS = (ValueError, KeyError, TypeError, AttributeError, IndexError, AssertionError, RecursionError)


def _opened(passkey: Passkey) -> AttestedCredentialData:
    return AttestedCredentialData(bytes(passkey.credential))


def _server(origin: str) -> Fido2Server:
    """Answers of this origin alone: the library would take those of its sub-domains too."""
    rp = PublicKeyCredentialRpEntity(id=urlsplit(origin).hostname or "", name=ISSUER)
    return Fido2Server(rp, verify_origin=lambda given: given == origin)
