"""New rows without the ORM's compiler: SQL built once a model, several rows in one trip to the database.

For the receiver's hot path, where compiling statements and waiting for each costs more than the statements.
Values, defaults and constraints are the model's own; only signals are not sent, and nothing here has any.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from types import NoneType
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models import Field, Model
from django.db.models.fields import AutoField

from bars_portal.statements import Write, cursor
from bars_portal.together import write_now_or_together

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
