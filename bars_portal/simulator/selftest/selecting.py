"""Which scenarios are meant by an id, a group or a row's id."""

from collections.abc import Sequence

from bars_portal.simulator.selftest.model import Scenario


class UnknownScenario(Exception):
    """There is no such scenario or group; the text names it."""


def select(
    scenarios: Sequence[Scenario], wanted: Sequence[str], *, answers_theirs: bool = False
) -> tuple[Scenario, ...]:
    """Those that are named, in their own order; all when none is. Raises UnknownScenario.

    What answers a request of the tested organisation is among all only with `answers_theirs`.
    """
    for name in wanted:
        if not any(_is_meant(each, name) for each in scenarios):
            raise UnknownScenario(f"There is no scenario or group {name}")
    if not wanted:
        return tuple(each for each in scenarios if answers_theirs or not each.answers_theirs)
    return tuple(each for each in scenarios if any(_is_meant(each, name) for name in wanted))


def _is_meant(scenario: Scenario, name: str) -> bool:
    return scenario.id == name or scenario.id.startswith((f"{name}-", f"{name}."))
