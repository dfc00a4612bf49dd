"""An answer as it is judged, and what a check is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bars_portal.simulator.selftest.model import Exchange, Json
from bars_portal.simulator.selftest.paths import found
from bars_portal.simulator.selftest.values import Values


@dataclass(frozen=True)
class Answer:
    """An answer as it is judged; `content` is the FHIR in it, None when there was none."""

    exchange: Exchange
    content: Json | None
    values: Values

    def at(self, path: str) -> list[Any]:
        """Every value at a path of the answer."""
        return found(self.content, path) if self.content else []


# Gives what is not as it was expected, in plain words; nothing when all is well.
Check = Callable[[Answer, Any], Iterator[str]]


def shown(values: list[Any]) -> str:
    """Values for a finding, the first few and shortened."""
    return ", ".join(str(each)[:80] for each in values[:4]) or "missing"
