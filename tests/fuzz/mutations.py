"""Real messages made wrong, as bytes and as trees; the same generator gives the same wrongs."""

import copy
import json
from collections.abc import Callable
from random import Random
from typing import Any

from tests.fuzz.shots import uuid_of

Tree = dict[str, Any]
_PIECES = [
    b"\x00",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b'"',
    b"\\u0000",
    b"{}",
    b"<",
    b"&#0;",
    b"]]>",
    b"\r\n",
    b"NaN",
]
_TIMES = ["9999-12-31T23:59:59.999999999+14:00", "0001-01-01T00:00:00-14:00", "2024-02-30T25:61:61Z", "2024"]
_ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 10**30, -(10**30), 1e308, 5e-324, "", " ", [], {}, [[]], [None], {"": ""}),
    *("\x00", "\x1f", "\ud800", "\u202e", "\U0001f600" * 50, "x" * 10_000, "é" * 3000, "%s%n", "' OR 1=1 --"),
    *("urn:uuid:", "urn:uuid:00000000-0000-0000-0000-000000000000", "#", "a|b|c", "|", "/" * 500, "٣٣٣"),
    *_TIMES,
)


def broken_bytes(rng: Random, data: bytes) -> bytes:
    """One to eight small wounds."""
    wounded = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        rng.choice(_WOUNDS)(rng, wounded)
    return bytes(wounded)


def broken_tree(rng: Random, message: Tree) -> Tree:
    """One to six nodes replaced, removed, doubled or swapped; ids renewed, so that it is no repeat."""
    tree = renewed(rng, message)
    for _ in range(rng.randint(1, 6)):
        _change(rng, tree)
    return tree


def renewed(rng: Random, message: Tree) -> Tree:
    """The same message with a Bundle.id of its own."""
    return copy.deepcopy(message) | {"id": uuid_of(rng)}


def written(tree: Tree) -> bytes:
    """JSON; lone surrogates are escaped, which is JSON and no Unicode."""
    return json.dumps(tree).encode()


def noise(rng: Random, most: int) -> bytes:
    return rng.randbytes(rng.randint(0, most))


def _change(rng: Random, tree: Tree) -> None:
    places = [place for place in _places(tree) if place[0]]
    if not places:
        return
    holder, key = rng.choice(places)
    roll = rng.random()
    if roll < 0.2:
        del holder[key]
    elif roll < 0.35:
        other, name = rng.choice(places)
        holder[key] = copy.deepcopy(other[name]) if name in other or isinstance(other, list) else None
    elif roll < 0.45 and isinstance(holder, list):
        holder.extend(copy.deepcopy(holder[key]) for _ in range(rng.choice([1, 2, 50])))
    elif roll < 0.55 and isinstance(holder, dict):
        holder[rng.choice(["_id", "extension", "id", "ſ", "$ref", "resourceType", f"_{key}"])] = rng.choice(
            _ODD
        )
    else:
        holder[key] = rng.choice(_ODD)


def _places(node: Any) -> list[tuple[Any, Any]]:
    """Every (holder, key or index) in the tree."""
    found: list[tuple[Any, Any]] = []
    stack = [node]
    while stack:
        item = stack.pop()
        pairs = item.items() if isinstance(item, dict) else enumerate(item)
        for key, value in pairs:
            found.append((item, key))
            if isinstance(value, dict | list):
                stack.append(value)
    return found


def _flip(rng: Random, data: bytearray) -> None:
    if data:
        data[rng.randrange(len(data))] = rng.randrange(256)


def _insert(rng: Random, data: bytearray) -> None:
    place = rng.randint(0, len(data))
    data[place:place] = rng.choice([*_PIECES, rng.randbytes(4)])


def _remove(rng: Random, data: bytearray) -> None:
    place = rng.randint(0, len(data))
    del data[place : place + rng.randint(1, 200)]


def _double(rng: Random, data: bytearray) -> None:
    place = rng.randint(0, len(data))
    data[place:place] = data[place : place + rng.randint(1, 500)]


def _cut(rng: Random, data: bytearray) -> None:
    if rng.random() < 0.2:
        del data[rng.randint(0, len(data)) :]


_WOUNDS: tuple[Callable[[Random, bytearray], None], ...] = (_flip, _flip, _insert, _remove, _double, _cut)
