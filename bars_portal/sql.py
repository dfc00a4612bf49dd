"""Every statement that Django's ORM does not write well, for paths where compiling and waiting costs most.

Statements are prepared and kept by the server: written with %s, sent as they are, values beside them. Parsing
and planning an INSERT of forty columns costs more than carrying it out, and a large value inside a statement
costs twice what it costs beside it. New rows are written by SQL built once a model, many in one trip. Their
values, defaults and constraints are the model's own; only signals are not sent, and nothing here has any.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from types import NoneType
from typing import Any
from uuid import UUID

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.backends.utils import CursorWrapper
from django.db.models import Field, Model
from django.db.models.fields import AutoField


@dataclass(frozen=True)
class Write:
    """One INSERT or UPDATE. `row` gets the key that the database makes; `text` then ends in RETURNING."""

    text: str
    values: Sequence[Any]
    row: Model | None = None


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


_EACH = """
    WITH RECURSIVE found(value) AS (
        ({first}) UNION ALL SELECT ({later}) FROM found WHERE value IS NOT NULL
    ) SELECT value FROM found WHERE value IS NOT NULL LIMIT %s
"""


def each_value(
    model: type[Model],
    column: str,
    *,
    of: Mapping[str, Any] | None = None,
    other_than: str | None = None,
    most: int | None = None,
) -> list[Any]:
    """What a column holds, each once and in order, the first so many; null is nothing.

    One look at an index that begins with the column for each value, where DISTINCT reads every row. `of`:
    columns before it in the index, and their values. The index may leave out the rows of one value,
    `other_than`.
    """
    quote = connection.ops.quote_name
    field, table = quote(str(model._meta.get_field(column).column)), quote(model._meta.db_table)  # type: ignore[union-attr]  # a column
    before = [str(model._meta.get_field(each).column) for each in of or ()]  # type: ignore[union-attr]  # columns
    kept = " AND ".join(["TRUE", *(f"{quote(each)} = %s" for each in before)])
    kept += "" if other_than is None else f" AND {field} <> '{other_than}'"
    following = f"SELECT {field} FROM {table} WHERE {kept} AND {field} {{}} ORDER BY {field} LIMIT 1"  # noqa: S608 - names of models
    first, later = following.format("IS NOT NULL"), following.format("> value")
    with connection.cursor() as asking:
        asking.execute(_EACH.format(first=first, later=later), [*2 * list((of or {}).values()), most])
        return [value for (value,) in asking.fetchall()]


def database_time() -> datetime:
    """The database's own clock, the one that all processes share; aware."""
    row = ask("SELECT clock_timestamp()")
    if row is None:
        raise TypeError("A SELECT without FROM has one row.")
    moment: datetime = row[0]
    return moment


def let_go_of_connection() -> None:
    """Who waits for the network keeps no other thread from the database's pool."""
    if connection.settings_dict["OPTIONS"].get("pool") and not connection.in_atomic_block:
        connection.close()


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
    """`insert` and `change` in here are written at the end of the block, in one trip.

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


# What psycopg takes as it is, by the kind of field: the way through the field's own preparation is long.
_NATURAL: tuple[tuple[type["Field[Any, Any]"], tuple[type, ...]], ...] = (
    (models.CharField, (str, NoneType)),
    (models.TextField, (str, NoneType)),
    (models.UUIDField, (UUID, NoneType)),
    (models.DateTimeField, (datetime, NoneType)),
    (models.DateField, (date, NoneType)),
    (models.IntegerField, (int, NoneType)),
    (models.BooleanField, (bool, NoneType)),
)


@dataclass(frozen=True)
class _Column:
    """A field, and the types of which its values go to the database untouched."""

    field: "Field[Any, Any]"
    name: str
    natural: tuple[type, ...]


@dataclass(frozen=True)
class _Insert:
    """The INSERT of one model; `fills` says whether the database gives the primary key."""

    text: str
    columns: tuple[_Column, ...]
    fills: bool

    def of(self, row: Model) -> Write:
        return Write(self.text, self.values(row), row if self.fills else None)

    def values(self, row: Model) -> list[Any]:
        # The connection itself: the proxy looks it up anew for each column.
        here, held = connections[DEFAULT_DB_ALIAS], row.__dict__
        return [
            value
            if type(value := held[each.name]) in each.natural
            else each.field.get_db_prep_save(each.field.pre_save(row, True), here)
            for each in self.columns
        ]


def insert(*rows: Model) -> None:
    """Write all of them, in order, all or none. Raises IntegrityError; primary keys are filled in.

    Within `together()` all three come at the end of the block.
    """
    if rows:
        write_now_or_together(*(_insert(type(row)).of(row) for row in rows))
        _mark_written(rows)


def change(text: str, *values: Any) -> None:
    """One UPDATE; within `together()` of rows that were there before it."""
    write_now_or_together(Write(text, values))


def insert_unless_there(row: Model) -> bool:
    """Whether it was written: False when a unique constraint of the table already has its like."""
    statement = _insert(type(row))
    if statement.fills:
        raise TypeError("For rows that know their primary key.")
    with cursor() as writing:
        writing.execute(f"{statement.text} ON CONFLICT DO NOTHING", statement.values(row))
        written: bool = writing.rowcount == 1
    if written:
        _mark_written([row])
    return written


@cache
def _insert(model: type[Model]) -> _Insert:
    meta, quote = model._meta, connection.ops.quote_name
    fills = isinstance(meta.pk, AutoField)
    fields = tuple(
        each for each in meta.concrete_fields if not each.generated and not (fills and each is meta.pk)
    )
    columns = ", ".join(quote(str(each.column)) for each in fields)
    places = ", ".join(map(_placeholder, fields))
    returning = f" RETURNING {quote(str(meta.pk.column))}" if fills else ""
    text = f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES ({places}){returning}"  # noqa: S608 - names of models
    return _Insert(text, tuple(map(_column, fields)), fills)


def _column(field: "Field[Any, Any]") -> _Column:
    kind = field.target_field if isinstance(field, models.ForeignKey) else field
    stamps_itself = getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
    natural = () if stamps_itself else next((own for of, own in _NATURAL if isinstance(kind, of)), ())
    return _Column(field, field.attname, natural)


def _placeholder(field: "Field[Any, Any]") -> str:
    """Arrays name their type."""
    own = getattr(field, "get_placeholder", None)
    return str(own(None, None, connection)) if own else "%s"


def _mark_written(rows: Iterable[Model]) -> None:
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias
