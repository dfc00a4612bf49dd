"""How much is tried: `quick` every day, `thorough` by `make thorough` (--hypothesis-profile)."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet

T = TypeVar("T")

# The same examples each time: what a random day finds belongs to `make thorough`, not to somebody's change.
settings.register_profile("quick", max_examples=25, deadline=None, derandomize=True, database=None)
settings.register_profile("thorough", max_examples=300, deadline=None)


def is_thorough() -> bool:
    return settings.get_current_profile_name() == "thorough"


def examples(quick: int, *, thorough: int) -> int:
    return thorough if is_thorough() else quick


def daily(
    rows: Iterable[Any], kept: Callable[[Any], bool], *, others: pytest.MarkDecorator = pytest.mark.thorough
) -> "list[ParameterSet]":
    """Rows of a table that say one thing: some for every day, the others in `make thorough` only.

    With pytest.mark.further for `others` CI has them too.
    """
    return [
        pytest.param(*(row if isinstance(row, tuple) else (row,)), marks=[] if kept(row) else [others])
        for row in rows
    ]


def share(values: Sequence[T], number: int, *, of: int = 4) -> Sequence[T]:
    """The `number`th share of the values, in turns, so that all shares together are all; thorough: all."""
    return values if is_thorough() else values[number % of :: of]
