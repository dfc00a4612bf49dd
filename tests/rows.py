"""A table of many hundred small rows in one test: what pytest does for each would cost more than the row."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

Row = tuple[Any, ...]
Check = Callable[..., None]


def each_row(rows: Iterable[Row], name: Callable[..., str]) -> Callable[[Check], Callable[[], None]]:
    """All are tried by the function that this decorates; each row that fails is named, with its failure."""
    table = list(rows)
    assert table, "nothing would be tried"

    def decorate(check: Check) -> Callable[[], None]:
        def tried() -> None:
            tries = [(row, _failure(check, row)) for row in table]
            failures = {name(*row): failure for row, failure in tries if failure is not None}
            if failures:
                raise BaseExceptionGroup(f"In the rows {', '.join(failures)}", [*failures.values()])

        # Without __wrapped__: pytest would look for fixtures of the row's names.
        tried.__name__, tried.__doc__, tried.__module__ = check.__name__, check.__doc__, check.__module__
        return tried

    return decorate


def _failure(check: Check, row: Row) -> BaseException | None:
    try:
        check(*row)
    except (Exception, pytest.fail.Exception) as failure:  # noqa: BLE001 - whatever it is, the others go on
        return failure
    return None
