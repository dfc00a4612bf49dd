"""Names of JSON objects are unique (standard section 12): with two of a name it is open which one was meant.

Every parser keeps one of the two without a word, so only what may hold such a pair is read in pairs.
"""

from __future__ import annotations

import json as stdlib_json
from collections.abc import Iterator
from typing import Any

from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode, OutcomeError, fault
from bars_portal.exchange.fhir.xml.table import element_names, is_resource

# Of a path, in characters.
_LONGEST = 200


class RepeatedName(OutcomeError):
    """An object has the same name twice (400 invalid)."""


class _Members(list[tuple[str, Any]]):
    """The members of one object, in the order in which they came."""


def loads(body: bytes) -> dict[str, Any]:
    """As `json.loads`. Raises RepeatedName too, which says where by names of FHIR's, none of the sender's."""
    return json.loads(body, on_suspicion=_refuse_repeated)


def _refuse_repeated(text: bytes) -> None:
    try:
        root = stdlib_json.loads(text, object_pairs_hook=_Members)
    except RecursionError:
        raise fault(OutcomeCode.INVALID, "The content is nested too deep") from None
    path = next(_repeated(root), None)
    if path is not None:
        words = f"{path or 'An object'} has the same name twice: names of an object are unique"
        raise RepeatedName(Issue(OutcomeCode.INVALID, words, (path,) if path else ()))


def _repeated(root: Any) -> Iterator[str]:
    """Where a name comes again, in the order of the document."""
    stack: list[tuple[list[Any], str]] = [(root, _root(root))]
    while stack:
        item, path = stack.pop()
        if isinstance(item, _Members):
            met: set[str] = set()
            for name, _ in item:
                if name in met:
                    yield _named(path, name)
                met.add(name)
            within = [(value, _named(path, name)) for name, value in item if isinstance(value, list)]
        else:
            within = [
                (each, _longer(path, f"[{at}]")) for at, each in enumerate(item) if isinstance(each, list)
            ]
        stack.extend(reversed(within))


def _root(root: Any) -> str:
    kinds = [value for name, value in root if name == "resourceType"] if isinstance(root, _Members) else []
    return next((kind for kind in kinds if is_resource(kind)), "")


def _named(path: str, name: str) -> str:
    """A name that FHIR does not know could be anything, a patient's too: it is left out."""
    known = name == "resourceType" or name.removeprefix("_") in element_names()
    return _longer(path, f".{name}" if path else name) if known else path


def _longer(path: str, step: str) -> str:
    return path + step if len(path) < _LONGEST else path
