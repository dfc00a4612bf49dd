"""Tables as large as in years of use, and how the database goes about what is asked of them."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection
from django.db.models import GeneratedField, Model
from django.test.utils import CaptureQueriesContext


def multiply(row: Model, times: int, **columns: str) -> None:
    """So many copies of a row; `columns` are SQL in which `n` counts them. References are not checked."""
    table, names = (
        row._meta.db_table,
        [str(each.column) for each in row._meta.concrete_fields if not isinstance(each, GeneratedField)],
    )
    key = str(row._meta.pk.column)
    if key not in columns:
        names.remove(key)
    told = ", ".join(columns.get(name, f'kept."{name}"').replace("%", "%%") for name in names)
    listed = ", ".join(f'"{name}"' for name in names)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            f"INSERT INTO {table} ({listed}) SELECT {told} FROM {table} AS kept, "
            f"generate_series(1, %s) AS n WHERE kept.{key} = %s",
            [times, row.pk],
        )
        cursor.execute(f"ANALYZE {table}")
        cursor.execute("SET LOCAL session_replication_role = origin")


def plans(ask: Callable[[], object]) -> Iterator[tuple[float, Any]]:
    """(milliseconds, plan) of each statement that it makes, as EXPLAIN ANALYZE tells them."""
    with CaptureQueriesContext(connection) as captured:
        ask()
    for statement in [str(each["sql"]) for each in captured.captured_queries if _reads(each["sql"])]:
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + statement.replace("%", "%%"), [])
            told = cursor.fetchone()[0]
        found = (json.loads(told) if isinstance(told, str) else told)[0]
        yield found["Execution Time"], found["Plan"]


def _reads(statement: str | None) -> bool:
    """Not a COPY, of which nothing is told, nor what was given its values beside it ($1)."""
    if statement is None or "$1" in statement:
        return False
    return statement.lstrip(" (\n").startswith(("SELECT", "WITH"))


def read_whole(plan: Any) -> list[str]:
    """The tables of which a statement read a thousand rows and more that no index had chosen."""
    own = plan["Node Type"] == "Seq Scan" and plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    deeper = [name for each in plan.get("Plans", ()) for name in read_whole(each)]
    return [plan["Relation Name"], *deeper] if own and own >= 1000 else deeper
