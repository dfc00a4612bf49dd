"""The shape of one FHIR type: which members an object may have, and what each must be."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

# Truthy for a value that is surely sound. What is no text may raise TypeError where a text is expected.
Leaf = Callable[[Any], object]
# The same for an object or list, with how many objects deep it may still be.
Nested = Callable[[Any, int], bool]


@dataclass(eq=False, slots=True)
class Shape:
    """Filled after it was made, for types contain each other."""

    leaves: dict[str, Leaf] = field(default_factory=dict)
    nested: dict[str, Nested] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    # Names of which an object has one, or none where that is its second part: value[x].
    choices: tuple[tuple[frozenset[str], int], ...] = ()

    def fits(self, value: Any, room: int) -> bool:
        """Raises KeyError for an unknown name; TypeError or AttributeError for another type of value."""
        if not (room and value):
            return False
        leaves, nested = self.leaves, self.nested
        for name, item in value.items():
            leaf = leaves.get(name)
            if leaf is None:
                if not nested[name](item, room - 1):
                    return False
            elif not leaf(item):
                return False
        for names, at_least in self.choices:
            if not at_least <= len(names & value.keys()) <= 1:
                return False
        return not self.required or value.keys() >= self.required


def many(one: Nested) -> Nested:
    """A list of them."""

    def fits(value: Any, room: int) -> bool:
        return bool(value) and type(value) is list and all(map(one, value, repeat(room)))

    return fits


def many_leaves(one: Leaf) -> Leaf:
    """A list of texts or numbers."""
    return lambda value: bool(value) and type(value) is list and all(map(one, value))
