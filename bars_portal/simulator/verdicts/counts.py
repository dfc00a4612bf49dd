"""How many of each resource a message holds, against the definition that its header names (section 6)."""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from bars_portal.simulator.verdicts.messages import Message
from bars_portal.simulator.verdicts.model import Check, look

RULE = "6"
_FILE = Path(__file__).parent / "definitions.toml"
Limits = Mapping[str, tuple[int, int | None]]


def check_counts(message: Message) -> Iterator[Check]:
    """The definition is known, and the Bundle holds what it says."""
    name = message.definition
    known = name in definitions()
    yield look(
        RULE, known, f"The definition is {name}", "MessageHeader.definition is none that is known", note=True
    )
    if not known:
        return
    for kind, (low, high) in definitions()[name].items():
        count = len(message.of_type(kind))
        holds = low <= count and (high is None or count <= high)
        wanted = f"{low} to {'any number' if high is None else high}"
        # Official updates carry the receiver's Encounter beside the sender's.
        extra = kind == "Encounter" and count == 2 and high == 1
        wrong = f"There are {count} {kind}, where the definition asks for {wanted}"
        yield look(RULE, holds, f"{kind}: {count} of {wanted}", wrong, note=extra)


@cache
def definitions() -> Mapping[str, Limits]:
    """Fewest and most (None: no limit) of each resource, by the last part of the definition's address."""
    loaded = tomllib.loads(_FILE.read_text())
    return {
        name: {kind: (low, None if high == "*" else int(high)) for kind, (low, high) in limits.items()}
        for name, limits in loaded.items()
    }
