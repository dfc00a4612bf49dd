"""JSON that means one thing only: UTF-8, no NaN, and no object with the same name twice.

Every parser keeps one of two like-named members without a word; which of them was meant nobody knows.
"""

import json
from collections.abc import Iterator
from typing import Any

import orjson

# Of each fault that is told.
_LONGEST_NAME = 50
_MOST_TOLD = 20


class Unreadable(ValueError):
    """It is no such JSON."""


class RepeatedNames(Unreadable):
    """`pointers` (RFC 6901) lead to names that are there twice, in the order of the text."""

    def __init__(self, pointers: tuple[str, ...]) -> None:
        super().__init__("names that are there twice")
        self.pointers = pointers


class _Members(list[tuple[str, Any]]):
    """The members of one object, as they came."""


def loads(text: bytes) -> Any:
    """Raises Unreadable."""
    try:
        read = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Unreadable from None
    if b"{" in text:
        try:
            members = json.loads(text, object_pairs_hook=_Members)
        except (RecursionError, ValueError):
            raise Unreadable from None
        pointers = tuple(pointer for pointer, _ in zip(_repeated(members), range(_MOST_TOLD), strict=False))
        if pointers:
            raise RepeatedNames(pointers)
    return read


def escaped(name: str) -> str:
    """A name as a step of a JSON pointer (RFC 6901); a long one is cut, for it is no name of ours."""
    return name[:_LONGEST_NAME].replace("~", "~0").replace("/", "~1")


def _repeated(root: Any) -> Iterator[str]:
    stack: list[tuple[Any, str]] = [(root, "")]
    while stack:
        item, path = stack.pop()
        within: list[tuple[Any, str]] = []
        if isinstance(item, _Members):
            met: set[str] = set()
            for name, value in item:
                step = f"{path}/{escaped(name)}"
                if name in met:
                    yield step
                met.add(name)
                within.append((value, step))
        elif isinstance(item, list):
            within = [(each, f"{path}/{at}") for at, each in enumerate(item)]
        stack.extend(reversed(within))
