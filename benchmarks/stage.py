"""What a benchmark stands on: a durable PostgreSQL, Django with migrations run, a service, and its messages.

`prepare()` comes before any import of models: it sets Django up.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

ROOT = Path(__file__).resolve().parent.parent
# Scripts are run by path: the project is found as it is by manage.py.
sys.path.insert(0, str(ROOT))

import psycopg  # noqa: E402 - after the path
from psycopg import sql  # noqa: E402 - the same

from bars_portal.demo.processes import start_embedded  # noqa: E402 - the same

if TYPE_CHECKING:
    from directory.models import HealthcareService

Json = dict[str, Any]
SERVICE_ID = "2000099999"
# EpisodeOfCare/<uuid>: the journey that a case belongs to.
_JOURNEY = re.compile(r"EpisodeOfCare/([0-9a-fA-F-]{36})")
_PUBLISHED = "REFREQ01*.json"

# Keys, references, which go before what they refer to and come after it, and indexes that hold no constraint.
_KEYS = """
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
           format('ALTER TABLE %s ADD CONSTRAINT %I %s %s', conrelid::regclass, conname,
                  pg_get_constraintdef(oid), CASE WHEN contype = 'f' THEN 'NOT VALID' END)
    FROM pg_constraint
    WHERE contype IN ('p', 'u', 'x', 'f') AND connamespace = 'public'::regnamespace
    UNION ALL
    SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE relnamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""


class NotDurable(Exception):
    """The server does not wait for the disk: what it says about speed is worth nothing."""


@dataclass(frozen=True)
class Stage:
    """A migrated database with one hosted service that accepts every use case."""

    database_url: str
    service: HealthcareService

    def connect(self) -> psycopg.Connection[Any]:
        """Plain psycopg, autocommit, without the receiver's timeouts."""
        return psycopg.connect(self.database_url, autocommit=True)

    @contextmanager
    def copy(self) -> Iterator[str]:
        """The URL of a database that holds the same, on the same server; dropped at the end."""
        from django.db import connections

        for each in connections.all():
            each.close()
            each.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's wrapper has it
        own = self.database_url.partition("?")[0].rpartition("/")[2]
        name, server = f"{own}_copy", _named(self.database_url, "postgres")
        _drop(server, name)
        with psycopg.connect(server, autocommit=True) as connection:
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(statement.format(sql.Identifier(name), sql.Identifier(own)))
        try:
            yield _named(self.database_url, name)
        finally:
            _drop(server, name)


@contextmanager
def prepare(*, durable: bool = True, slower_by: int = 0, process: str = "receiver") -> Iterator[Stage]:
    """A database of its own, dropped at the end: embedded, or on the server that DATABASE_URL names.

    This is then that process (BARS_PROCESS).

    Each commit takes so many milliseconds longer than the disk does, whoever commits. Raises NotDurable when
    `durable` and the server commits without fsync.
    """
    with _database() as url:
        if durable:
            _require_fsync(url)
        elif "DATABASE_URL" not in os.environ:
            _hasten(url)
        _slow_down(url, slower_by)
        _set_up_django(url, process)
        from django.db import connections

        try:
            yield Stage(url, _make_service())
        finally:
            for each in connections.all():
                each.close()
                each.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's wrapper has it


@contextmanager
def keys_made_last(cursor: Any) -> Iterator[None]:
    """Sorted once, an index takes a fifth of what it takes row by row."""
    cursor.execute("SET statement_timeout = 0")
    cursor.execute("SET maintenance_work_mem = '512MB'")
    cursor.execute(_KEYS)
    kept = sorted(cursor.fetchall(), key=lambda each: "FOREIGN KEY" not in each[1])
    for drop, _ in kept:
        cursor.execute(drop)
    yield
    for _, make in reversed(kept):
        cursor.execute(make)


def one_processor() -> None:
    """What further processes did for a statement would not be counted."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('ALTER DATABASE %I SET max_parallel_workers_per_gather = 0', current_database())"
        )
        cursor.execute(cursor.fetchone()[0])
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's wrapper has it


def published_message() -> Json:
    """REFREQ01 as published, or a stand-in of its shape and size where the examples are not at hand."""
    folder = Path(os.environ.get("BARS_SHARED_DIR", ROOT.parent / "shared")) / "fhir" / "examples"
    found = next(iter(folder.glob(_PUBLISHED)), None)
    if found is not None:
        loaded: Json = json.loads(found.read_bytes())
        return loaded
    from stand_in import referral

    return referral()


def addressed(message: Json, service_id: str = SERVICE_ID) -> Json:
    """The message to a service of ours, with a Bundle.id of its own."""
    changed = {**deepcopy(message), "id": str(uuid4())}
    header = next(
        each["resource"] for each in changed["entry"] if each["resource"]["resourceType"] == "MessageHeader"
    )
    header["destination"][0]["endpoint"] = f"https://fhir.nhs.uk/Id/dos-service-id|{service_id}"
    return changed


def bodies(count: int, service_id: str = SERVICE_ID) -> list[bytes]:
    """So many REFREQ01, each a new message about a new case, compact as it was published."""
    message = addressed(published_message(), service_id)
    template = json.dumps(message, separators=(",", ":"))
    own_ids = {message["id"], *_JOURNEY.findall(template)}
    return [_renamed(template, own_ids).encode() for _ in range(count)]


def _renamed(text: str, ids: set[str]) -> str:
    for each in ids:
        text = text.replace(each, str(uuid4()))
    return text


@contextmanager
def _database() -> Iterator[str]:
    name = f"bars_bench_{os.getpid()}"
    with _server() as url:
        _recreate(url, name)
        try:
            yield _named(url, name)
        finally:
            _drop(url, name)


@contextmanager
def _server() -> Iterator[str]:
    """The URL of some database on the server."""
    if url := os.environ.get("DATABASE_URL"):
        yield _named(url, "postgres")
        return
    folder = Path(tempfile.mkdtemp(prefix="bars-bench-"))
    server = start_embedded(folder / "postgres")
    try:
        yield server.url("postgres")
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _named(url: str, database: str) -> str:
    """The same server, another database."""
    place, question, options = url.partition("?")
    return f"{place.rpartition('/')[0]}/{database}{question}{options}"


def _recreate(url: str, name: str) -> None:
    _drop(url, name)
    _run(url, "CREATE DATABASE {}", name)


def _drop(url: str, name: str) -> None:
    _run(url, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _run(url: str, statement: str, name: str) -> None:
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(sql.SQL(statement).format(sql.Identifier(name)))


def _require_fsync(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as server:
        for setting in ("fsync", "synchronous_commit"):
            row = server.execute(sql.SQL("SHOW {}").format(sql.Identifier(setting))).fetchone()
            if row is None or row[0] != "on":
                raise NotDurable(f"PostgreSQL runs with {setting} off: unset DATABASE_URL, or switch it on.")


def _hasten(url: str) -> None:
    """A server of our own, that nobody needs after a crash, and whose rows come all at once."""
    for setting, value in (("fsync", "off"), ("full_page_writes", "off"), ("max_wal_size", "8GB")):
        with psycopg.connect(url, autocommit=True) as server:
            statement = sql.SQL("ALTER SYSTEM SET {} = {}")
            server.execute(statement.format(sql.Identifier(setting), sql.Literal(value)))
            server.execute("SELECT pg_reload_conf()")


def _slow_down(url: str, milliseconds: int) -> None:
    """By PostgreSQL's own wait before it writes a commit, here also for one that commits alone."""
    name = url.partition("?")[0].rpartition("/")[2]
    for setting, value in (("commit_delay", milliseconds * 1000), ("commit_siblings", 0)):
        statement = sql.SQL("ALTER DATABASE {} SET {} = {}")
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(
                statement.format(sql.Identifier(name), sql.Identifier(setting), sql.Literal(value))
            )


def environment(url: str) -> dict[str, str]:
    """The receiver's environment, for this process and for those that a benchmark starts."""
    return {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "bars_portal.settings.demo",
        "BARS_ENVIRONMENT": "simulator",
        "BARS_PROCESS": "receiver",
        # Without TLS the caller is named in the headers of a trusted proxy.
        "BARS_PEER_SOURCE": "proxy",
        # One caller asks as fast as it can.
        "BARS_PEER_REQUESTS_A_MINUTE": "0",
    }


def _set_up_django(url: str, process: str) -> None:
    os.environ.update({**environment(url), "BARS_PROCESS": process})
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _make_service() -> HealthcareService:
    from tests.factories.referrals import make_hub

    return make_hub(service_id=SERVICE_ID, name="Benchmark hub")
