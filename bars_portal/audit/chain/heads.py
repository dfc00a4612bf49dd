"""What is signed of the chain: heads, which are kept outside the database, and prunings, which stand in it.

A head says where the chain ended at a time, so that no end can be cut off unseen. One line of JSON a head,
one file a month, only ever appended to. A thread of the worker seals and signs.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from bars_portal.audit.chain import sealer
from bars_portal.audit.chain.sealer import as_text
from bars_portal.audit.models import Pruning
from bars_portal.credentials.keys import (
    UnreadableKey,
    is_signed,
    name_of_key,
    read_audit_key,
    read_public_key,
)
from bars_portal.rounds import OfThisProcess, Rounds
from bars_portal.sql import database_time

# -- whose key signs, and whose signatures are believed: files, named by settings

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


# -- heads

_VERSION = 1
_MODE = 0o644


@dataclass(frozen=True)
class Head:
    """At `signed_at` (UTC, text) the chain had `total` events, and its seal `number` this hash (hex)."""

    number: int
    total: int
    hash: str
    signed_at: str
    key: str = ""
    signature: str = ""

    @property
    def content(self) -> bytes:
        told = ["bars audit head", _VERSION, self.number, self.total, self.hash, self.signed_at]
        return orjson.dumps(told)

    def is_believed(self, keys: Keys) -> bool:
        try:
            signature = bytes.fromhex(self.signature)
        except ValueError:
            return False
        return is_believed(keys, self.content, Signature(self.key, signature))


@dataclass(frozen=True)
class UnreadableHead:
    """Something else stands there: the file's name and the number of the line."""

    file: str
    line: int


def folder() -> Path | None:
    """None where no folder is set."""
    named = settings.AUDIT_HEADS_FOLDER
    return Path(named) if named else None


def export_head(place: Path, *, now: datetime) -> Head:
    """Seal all that is committed, then sign where the chain ends, also while there is nothing in it.

    Sealing comes first, and waits for whoever seals: an event that is sealed after a head, and older than it,
    was put in from outside. Raises ImproperlyConfigured, OSError.
    """
    sealer.seal_trail(now=now, wait=True)
    end = sealer.end_of_chain()
    unsigned = Head(end.number, end.total, end.hash.hex(), as_text(now))
    signature = sign(unsigned.content)
    head = Head(**{**asdict(unsigned), "key": signature.key, "signature": signature.signature.hex()})
    append(place, f"heads-{now.astimezone(UTC):%Y-%m}.jsonl", {"version": _VERSION, **asdict(head)})
    return head


def append(place: Path, name: str, told: object) -> None:
    """One line, on disk when this returns. Raises OSError."""
    place.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(place / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(orjson.dumps(told) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read_heads(place: Path) -> Iterator[Head | UnreadableHead]:
    """In the order in which they were signed. Raises OSError."""
    for file in sorted(place.glob("heads-*.jsonl")):
        with file.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                head = _read(line)
                yield head if head is not None else UnreadableHead(file.name, number)


_TYPES = {field.name: int if field.name in ("number", "total") else str for field in fields(Head)}


def _read(line: bytes) -> Head | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    if not isinstance(told, dict) or told.pop("version", None) != _VERSION or set(told) != set(_TYPES):
        return None
    return Head(**told) if all(type(told[name]) is kind for name, kind in _TYPES.items()) else None


# -- prunings stand in the chain for events whose time was over: signed, so that nobody else can invent one

_PRUNING_VERSION = 1


def signed(pruning: Pruning) -> Pruning:
    """The same, not yet written, with our signature. Raises ImproperlyConfigured."""
    signature = sign(_content(pruning))
    pruning.key, pruning.signature = signature.key, signature.signature
    return pruning


def is_pruning_believed(pruning: Pruning, keys: Keys) -> bool:
    return is_believed(keys, _content(pruning), Signature(pruning.key, bytes(pruning.signature)))


def _content(pruning: Pruning) -> bytes:
    told = [
        "bars audit pruning",
        _PRUNING_VERSION,
        pruning.first_number,
        pruning.number,
        pruning.total,
        bytes(pruning.hash).hex(),
        sorted(pruning.days.items()),
        as_text(pruning.pruned_at),
        pruning.actor_label,
    ]
    return orjson.dumps(told)


# -- when: every few seconds, and a head every hour

SEALS_EVERY_SECONDS = 5.0
SIGNS_EVERY_SECONDS = 3600.0
# A folder that was full or away is tried again so soon.
_SIGNS_AGAIN_SECONDS = 60.0
# A round that is in the middle of a batch ends by itself; the next sealer goes on after it.
_PATIENCE_SECONDS = 5.0


class Sealing:
    """By the database's clock: one of ours that jumps dates no seal. Of several one at a time seals."""

    def __init__(
        self, *, seals_every: float = SEALS_EVERY_SECONDS, signs_every: float = SIGNS_EVERY_SECONDS
    ) -> None:
        self._signs_every = signs_every
        # The first head at the start: a worker may never live for a full hour.
        self._signs_at = monotonic()
        self.rounds = Rounds("sealer", self._seal, every_seconds=seals_every)

    def start(self) -> None:
        self.rounds.start()

    def stop(self) -> None:
        self.rounds.stop(patience_seconds=_PATIENCE_SECONDS)

    def _seal(self) -> None:
        sealer.seal_trail(now=database_time())
        self._sign()

    def _sign(self) -> None:
        """Where a key and a folder are set: production refuses to start a worker without."""
        place = folder()
        if place is None or not can_sign() or monotonic() < self._signs_at:
            return
        self._signs_at = monotonic() + min(_SIGNS_AGAIN_SECONDS, self._signs_every)
        export_head(place, now=database_time())
        self._signs_at = monotonic() + self._signs_every


sealing = OfThisProcess[Sealing]()
