"""Databases beside the tests' own, on the same server, and what is in the tests' own.

Those are migrated on the embedded server, empty on a given one.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import quote

from django.contrib.contenttypes.management import create_contenttypes
from django.db import connection, connections
from django.db.models.signals import post_migrate
from psycopg import Connection, connect, sql

from bars_portal.demo.processes import EmbeddedPostgres
from tests.template import migrated_template


def hurry(embedded: EmbeddedPostgres) -> None:
    """No test survives a power cut, and none has rows enough for what a large database needs."""
    with connect(host=embedded.socket_folder, user="postgres", dbname="postgres", autocommit=True) as server:
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum", "jit"):
            server.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        server.execute("SELECT pg_reload_conf()")


# What no test changes: to write them anew takes longer than all the rest.
_KEPT = {"django_content_type", "auth_permission"}


_NO_TRUNCATE = {
    "audit_auditevent": "audit_no_truncate",
    "audit_seal": "audit_seal_no_truncate",
    "audit_pruning": "audit_pruning_no_truncate",
}


def empty_quickly() -> None:
    """The clean-up after `transaction=True` deletes rows where it may: to truncate makes all files anew.

    The trail refuses neither: its triggers are passed by.
    """
    with connection.cursor() as cursor:
        cursor.execute("SHOW is_superuser")
        if cursor.fetchone() != ("on",):
            for table, trigger in _NO_TRUNCATE.items():
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
            return

    def deletions(style: object, tables: Iterable[str], **_: bool) -> list[str]:
        filled = [table for table in tables if table not in _KEPT]
        return [
            "SET LOCAL session_replication_role = replica",
            *(f"DELETE FROM {connection.ops.quote_name(table)}" for table in filled),
        ]

    connection.ops.sql_flush = deletions  # type: ignore[method-assign]  # for this run
    assert post_migrate.disconnect(create_contenttypes)
    assert post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")


def make_database(embedded: EmbeddedPostgres | None, name: str) -> str:
    """Its address."""
    drop_database(embedded, name)
    template = migrated_template(embedded) if embedded else "template1"
    with _server(embedded) as server:
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
    host, user, password, port = _place(embedded)
    secret = f":{quote(password, safe='')}" if password else ""
    place = (
        f"/{name}?host={quote(host, safe='/')}" if host.startswith("/") else f"{host}:{port or 5432}/{name}"
    )
    return f"postgresql://{user}{secret}@{place}"


def drop_database(embedded: EmbeddedPostgres | None, name: str) -> None:
    with _server(embedded) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def _server(embedded: EmbeddedPostgres | None) -> Iterator[Connection]:
    host, user, password, port = _place(embedded)
    with connect(
        host=host, user=user, password=password or None, port=port or None, dbname="postgres", autocommit=True
    ) as server:
        yield server


def _place(embedded: EmbeddedPostgres | None) -> tuple[str, str, str, str]:
    """Host or socket folder, user, password and port."""
    given = connections["default"].settings_dict
    host = embedded.socket_folder if embedded else given["HOST"] or given["OPTIONS"].get("host", "")
    return host, given["USER"] or "postgres", given["PASSWORD"], given["PORT"]


# What every page may write, and what is remembered of services that a page had to ask.
_WRITTEN = frozenset({"audit_auditevent", "django_session"})
_REMEMBERED = frozenset({"directory_servicecapability", "directory_capabilitychange", "exchange_accesstoken"})
_HEALTH = ("last_success_at", "failing_since")


def contents(*, remembered: bool = False) -> dict[str, str]:
    """A fingerprint of each table, but for trail, sessions and (unless `remembered`) what services said."""
    left_out = _WRITTEN if remembered else _WRITTEN | _REMEMBERED
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor)) - left_out
        # Names of our own tables.
        kept = "(to_jsonb(row)" + "".join(f" - '{each}'" for each in _HEALTH) + ")::text"
        row = "SELECT '{0}', md5(string_agg({1}, '|' ORDER BY {1})) FROM {0} row"
        cursor.execute(" UNION ALL ".join(row.format(each, kept) for each in sorted(tables)))
        return dict(cursor.fetchall())
