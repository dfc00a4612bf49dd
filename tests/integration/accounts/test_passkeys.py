"""Passkeys with a key in software: what is signed counts for its origin, its question, and forward only."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import sha256, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from bars_portal.accounts.models import Passkey, User
from bars_portal.accounts.second_factor import proofs, services
from bars_portal.audit.actor import Actor
from tests.factories.accounts import make_user

ORIGIN, NOW = "https://portal.example", datetime(2026, 11, 30, 17, tzinfo=UTC)
FLAGS = AuthenticatorData.FLAG


class Key:
    """A security key that is always touched."""

    def __init__(self, host: str = "portal.example") -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        self._host = sha256(host.encode())
        public = ES256.from_cryptography_key(self._private.public_key())  # type: ignore[no-untyped-call]  # fido2 has few types there
        self._credential = AttestedCredentialData.create(Aaguid.NONE, b"key-1", public)

    def make(self, state: dict[str, Any], *, origin: str = ORIGIN) -> str:
        data = AuthenticatorData.create(self._host, FLAGS.UP | FLAGS.AT, 1, bytes(self._credential))
        attested = bytes(AttestationObject.create("none", data, {}))
        client = self._client(CollectedClientData.TYPE.CREATE, state, origin)
        return self._answer({"clientDataJSON": client, "attestationObject": attested})

    def sign(self, state: dict[str, Any], *, counter: int = 2, origin: str = ORIGIN) -> str:
        data = bytes(AuthenticatorData.create(self._host, FLAGS.UP, counter))
        client = self._client(CollectedClientData.TYPE.GET, state, origin)
        signature = self._private.sign(data + sha256(client), ec.ECDSA(SHA256()))
        return self._answer({"clientDataJSON": client, "authenticatorData": data, "signature": signature})

    def _client(self, kind: str, state: dict[str, Any], origin: str) -> bytes:
        said = {"type": kind, "challenge": state["challenge"], "origin": origin}
        return json.dumps(said).encode()

    def _answer(self, response: dict[str, bytes]) -> str:
        shown = {name: websafe_encode(value) for name, value in response.items()}
        name = websafe_encode(b"key-1")
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": shown})


@pytest.fixture
def user(db: None) -> User:
    return make_user()


@pytest.fixture
def key(user: User) -> Key:
    """Of the person."""
    key = Key()
    _, state = proofs.ask_to_register(user, [], origin=ORIGIN)
    made = proofs.read_registration(key.make(state), state, origin=ORIGIN)
    assert services.add_passkey(user=user, made=made, name="key", actor=Actor("x", user.pk), now=NOW)
    return key


def asked(user: User) -> dict[str, Any]:
    _, state = proofs.ask_to_assert(Passkey.objects.filter(user=user), origin=ORIGIN)
    return state


def proves(user: User, answer: str, state: dict[str, Any]) -> bool:
    return services.prove(user, services.Proof(now=NOW, passkey=answer, state=state, origin=ORIGIN))


def test_it_counts_for_its_owner_and_forward_only(user: User, key: Key) -> None:
    state = asked(user)
    assert not proves(make_user(), key.sign(state), state)
    assert proves(user, key.sign(state, counter=5), state)
    assert not proves(user, key.sign(state, counter=5), state), "a copy of the key counts by itself"
    assert not proves(user, key.sign(state, counter=4), state)
    assert proves(user, key.sign(state, counter=6), state)


def test_keys_that_do_not_count_always_say_0(user: User, key: Key) -> None:
    Passkey.objects.update(sign_count=0)
    state = asked(user)
    assert all(proves(user, key.sign(state, counter=0), state) for _ in range(2))


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://sub.portal.example",
        "http://portal.example",
        "https://portal.example:1",
    ],
)
def test_an_answer_given_elsewhere_is_none(user: User, key: Key, origin: str) -> None:
    state = asked(user)
    assert not proves(user, key.sign(state, origin=origin), state)
    _, state = proofs.ask_to_register(user, [], origin=ORIGIN)
    with pytest.raises(proofs.InvalidAnswer):
        proofs.read_registration(Key().make(state, origin=origin), state, origin=ORIGIN)


def test_an_answer_to_another_question_or_of_another_key_is_none(user: User, key: Key) -> None:
    state = asked(user)
    assert not proves(user, key.sign(asked(user)), state)
    assert not proves(user, key.sign(state), {})
    assert not proves(user, Key().sign(state), state)
    assert not proves(user, Key("other.example").sign(state), state)


@pytest.mark.parametrize("answer", ["", "{", "[]", "null", '{"id": "x"}', '{"rawId": 1}', "[" * 3000])
def test_what_is_no_answer_is_none(user: User, key: Key, answer: str) -> None:
    assert not proves(user, answer, asked(user))


@pytest.mark.parametrize(
    ("origin", "can"),
    [
        ("https://portal.example", True),
        ("http://localhost:8000", True),
        ("http://portal.example", False),
        ("http://127.0.0.1:8000", False),
        ("https://[::1]", False),
    ],
)
def test_where_they_can_be_used(origin: str, can: bool) -> None:
    assert proofs.can_use_passkeys_at(origin) is can
