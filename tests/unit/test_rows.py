"""A table in one test: every row is tried, and whichever fails is named."""

from collections.abc import Callable

import pytest

from tests.rows import each_row


def named(row: str, _check: object = None) -> str:
    return f"row-{row}"


def test_every_row_is_tried_and_each_that_fails_is_named() -> None:
    tried = []

    def fail() -> None:
        with pytest.raises(KeyError):
            pass

    def misses() -> None:
        raise LookupError

    rows: list[tuple[str, Callable[[], None]]] = [("a", fail), ("b", lambda: None), ("c", misses)]

    @each_row(rows, named)
    def check(row: str, does: Callable[[], None]) -> None:
        tried.append(row)
        does()

    with pytest.raises(BaseExceptionGroup, match="In the rows row-a, row-c") as told:
        check()
    assert tried == ["a", "b", "c"]
    assert [type(each) for each in told.value.exceptions] == [pytest.fail.Exception, LookupError]


def test_a_table_without_rows_is_no_test() -> None:
    with pytest.raises(AssertionError, match="nothing"):
        each_row([], named)
