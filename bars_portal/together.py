"""A unit of work: what is written in a block travels in one statement, at its end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection

from bars_portal.statements import Write, write

_open: ContextVar["_Batch | None"] = ContextVar("open_batch", default=None)


class _Batch:
    """Writes that wait. Whatever else is said to the database meanwhile is said after them."""

    def __init__(self) -> None:
        self.waiting: list[Write] = []

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        if str(sql).startswith("ROLLBACK TO"):
            # All that waits was written after the savepoint, for saying SAVEPOINT sent what was before.
            self.waiting.clear()
        self.send()
        return execute(sql, params, many, context)

    def send(self) -> None:
        writes, self.waiting = self.waiting, []
        if writes:
            write(writes)


@contextmanager
def together() -> Iterator[None]:
    """Rows and changes of `bars_portal.rows` in here are written at the end of the block, in one trip.

    For the inside of a transaction: what breaks a constraint raises IntegrityError at the end, and nothing of
    it is there. After an exception nothing is written. A block within a block is part of the outer one.
    """
    if _open.get() is not None:
        yield
        return
    batch = _Batch()
    token = _open.set(batch)
    try:
        with connection.execute_wrapper(batch):
            yield
            batch.send()
    finally:
        _open.reset(token)


def write_now_or_together(*writes: Write) -> None:
    """At once, unless a block is open that will."""
    batch = _open.get()
    if batch is None:
        write(writes)
    else:
        batch.waiting.extend(writes)
