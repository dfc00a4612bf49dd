"""Which scenarios are meant by an id, a group or a row's id."""

from collections.abc import Sequence

from bars_portal.simulator.selftest.model import Scenario


class UnknownScenario(Exception):
    """There is no such scenario or group; the text names it."""


def select(scenarios: Sequence[Scenario], wanted: Sequence[str]) -> tuple[Scenario, ...]:
    """Those that are named, in their own order; all when none is. Raises UnknownScenario."""
    for name in wanted:
        if not any(_is_meant(each, name) for each in scenarios):
            raise UnknownScenario(f"There is no scenario or group {name}")
    return tuple(each for each in scenarios if not wanted or any(_is_meant(each, name) for name in wanted))


def _is_meant(scenario: Scenario, name: str) -> bool:
    return scenario.id == name or scenario.id.startswith((f"{name}-", f"{name}."))
