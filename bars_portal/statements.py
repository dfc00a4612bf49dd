"""Statements that the server prepares and keeps: written with %s, sent as they are, values beside them.

Parsing and planning an INSERT of forty columns costs more than carrying it out, and a large value inside a
statement costs twice what it costs beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Model


@dataclass(frozen=True)
class Write:
    """One INSERT or UPDATE. `row` gets the key that the database makes; `text` then ends in RETURNING."""

    text: str
    values: Sequence[Any]
    row: Model | None = None


@dataclass(frozen=True)
class Question:
    """One SELECT of at most one value, to be asked within another; written with %s like any statement."""

    text: str
    values: tuple[Any, ...]


class _Cursor(psycopg.RawCursor[Any]):
    """psycopg looks through long statements for placeholders each time anew: these are numbered once."""

    def execute(self, query: Any, params: Any = None, **kwargs: Any) -> "_Cursor":
        return super().execute(_numbered(query), params, **kwargs)


def cursor() -> CursorWrapper:
    connection.ensure_connection()
    # Django has no public way to one such cursor; its wrapper, with all that hangs on it, stays around it.
    wrapped: CursorWrapper = connection._prepare_cursor(_Cursor(connection.connection))  # type: ignore[attr-defined]  # not public
    return wrapped


def ask(text: str, *values: Any) -> tuple[Any, ...] | None:
    """The first row of the answer, None when there is none."""
    with cursor() as asking:
        asking.execute(text, values)
        found: tuple[Any, ...] | None = asking.fetchone()
    return found


def write(writes: Sequence[Write]) -> None:
    """All of them or none, in one trip. Raises IntegrityError.

    Each sees the tables as they were before all of them; keys are given in their order.
    """
    made = [each.row for each in writes if each.row is not None]
    keys = ask(_joined(tuple((each.text, each.row is not None) for each in writes)), *_values(writes))
    for row, key in zip(made, keys or (), strict=True):
        row.pk = key


def _values(writes: Sequence[Write]) -> list[Any]:
    return [value for each in writes for value in each.values]


@lru_cache
def _joined(parts: tuple[tuple[str, bool], ...]) -> str:
    """One statement with each of them as a part; keys are asked for from left to right, which orders them."""
    if len(parts) == 1 and parts[0][1]:
        # An audit event alone, the commonest of all.
        return parts[0][0]
    named = ", ".join(f"w{place} AS ({text})" for place, (text, _) in enumerate(parts))
    keys = ", ".join(f"(TABLE w{place})" for place, (_, has_key) in enumerate(parts) if has_key)
    return f"WITH {named} SELECT {keys}"


@lru_cache
def _numbered(text: str) -> str:
    """%s, %s -> $1, $2."""
    first, *others = text.split("%s")
    return first + "".join(f"${number}{part}" for number, part in enumerate(others, start=1))
