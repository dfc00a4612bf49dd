"""Databases beside the tests' own, on the same server: migrated on the embedded one, empty on a given one."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from django.db import connections
from psycopg import Connection, connect, sql

from bars_portal.demo.database import EmbeddedPostgres
from tests.template import migrated_template


def hurry(embedded: EmbeddedPostgres) -> None:
    """No test survives a power cut, and none has rows enough for what a large database needs."""
    with connect(host=embedded.socket_folder, user="postgres", dbname="postgres", autocommit=True) as server:
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum", "jit"):
            server.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        server.execute("SELECT pg_reload_conf()")


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
