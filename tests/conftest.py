"""What every test may use: PostgreSQL (embedded without DATABASE_URL), the running demo, the examples."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.template import migrated_template

if TYPE_CHECKING:
    from bars_portal.demo.database import EmbeddedPostgres
    from tests.stack import Stack

# The database of the running programs; its name tells whose tests it serves.
_LIVE = f"bars_live_{os.getpid()}"
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def database_server() -> Iterator["EmbeddedPostgres | None"]:
    """The embedded cluster; None when DATABASE_URL names a server."""
    from django.conf import settings

    if not settings.EMBEDDED_DATABASE:
        yield None
        return
    from bars_portal.demo.database import start_embedded

    server = start_embedded(ROOT / "var" / "test-postgres")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    database_server: "EmbeddedPostgres | None", django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """Before pytest-django makes the test database (one a worker): point it at the embedded cluster."""
    from django.db import connections

    if database_server is not None:
        given = connections["default"].settings_dict
        given |= {"HOST": database_server.socket_folder, "USER": "postgres"}
        given["TEST"]["TEMPLATE"] = migrated_template(database_server)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> None:
    """Tests with `transaction=True` clean up by TRUNCATE.

    Only that trigger of the trail is switched off, and what a migration put into the tables is put back.
    """
    from django.apps import apps
    from django.db import connection
    from django.db.models.signals import post_migrate

    # Sent after each clean-up too.
    post_migrate.connect(_seed_code_lists, sender=apps.get_app_config("referrals"))

    with django_db_blocker.unblock(), connection.cursor() as cursor:  # type: ignore[attr-defined]  # no public type
        cursor.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER audit_no_truncate")


def _seed_code_lists(**_: object) -> None:
    from django.apps import apps

    import_module("referrals.migrations.0011_published_codes").seed(apps, None)


@pytest.fixture(scope="session")
def stack(
    database_server: "EmbeddedPostgres | None", tmp_path_factory: pytest.TempPathFactory
) -> Iterator["Stack"]:
    """Portal, receiver, simulator and worker, really running, with a database of their own."""
    from tests.stack import running_stack

    with _own_database(database_server) as url, running_stack(tmp_path_factory.mktemp("var"), url) as running:
        yield running


@contextmanager
def _own_database(embedded: "EmbeddedPostgres | None") -> Iterator[str]:
    """A database beside the tests' own, on the same server; dropped afterwards.

    Empty on a server that was given to us, migrated on the embedded one.
    """
    from django.db import connections
    from psycopg import connect, sql

    given = connections["default"].settings_dict
    host = embedded.socket_folder if embedded else given["HOST"] or given["OPTIONS"].get("host", "")
    user, password, port = given["USER"] or "postgres", given["PASSWORD"], given["PORT"]
    name = sql.Identifier(_LIVE)
    template = sql.Identifier(migrated_template(embedded) if embedded else "template1")
    with connect(
        host=host, user=user, password=password or None, port=port or None, dbname="postgres", autocommit=True
    ) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, template))
        secret = f":{quote(password, safe='')}" if password else ""
        place = (
            f"/{_LIVE}?host={quote(host, safe='/')}"
            if host.startswith("/")
            else f"{host}:{port or 5432}/{_LIVE}"
        )
        try:
            yield f"postgresql://{user}{secret}@{place}"
        finally:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The published profiles and examples; tests that read them are skipped when they are absent."""
    folder = Path(os.environ.get("BARS_SHARED_DIR", ROOT.parent / "shared"))
    if not (folder / "fhir" / "examples").is_dir():
        pytest.skip("the shared examples are not here")
    return folder
