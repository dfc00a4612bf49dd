"""How much is tried: `quick` every day, `thorough` by `make thorough` (--hypothesis-profile)."""

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import settings

T = TypeVar("T")

# The same examples each time: what a random day finds belongs to `make thorough`, not to somebody's change.
settings.register_profile("quick", max_examples=25, deadline=None, derandomize=True, database=None)
settings.register_profile("thorough", max_examples=300, deadline=None)


def is_thorough() -> bool:
    return settings.get_current_profile_name() == "thorough"


def examples(quick: int, *, thorough: int) -> int:
    return thorough if is_thorough() else quick


def share(values: Sequence[T], number: int, *, of: int = 4) -> Sequence[T]:
    """The `number`th share of the values, in turns, so that all shares together are all; thorough: all."""
    return values if is_thorough() else values[number % of :: of]
