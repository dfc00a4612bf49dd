"""What every test may use: PostgreSQL (embedded without DATABASE_URL), the running demo, the examples."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from tests.stack import Stack

# The database of the running programs; its name tells whose tests it serves.
_LIVE = f"bars_live_{os.getpid()}"
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def database_server() -> Iterator[str | None]:
    """The folder of the embedded cluster's socket; None when DATABASE_URL names a server."""
    from django.conf import settings

    if not settings.EMBEDDED_DATABASE:
        yield None
        return
    from bars_portal.demo.database import start_embedded

    server = start_embedded(ROOT / "var" / "test-postgres")
    yield server.socket_folder
    server.stop()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    database_server: str | None, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """Before pytest-django makes the test database (one a worker): point it at the embedded cluster."""
    from django.db import connections

    if database_server is not None:
        connections["default"].settings_dict |= {"HOST": database_server, "USER": "postgres"}


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
def stack(database_server: str | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Stack"]:
    """Portal, receiver, simulator and worker, really running, with a database of their own."""
    from tests.stack import running_stack

    with _own_database(database_server) as url, running_stack(tmp_path_factory.mktemp("var"), url) as running:
        yield running


@contextmanager
def _own_database(socket_folder: str | None) -> Iterator[str]:
    """An empty database beside the tests' own, on the same server; dropped afterwards."""
    from django.db import connections
    from psycopg import connect, sql

    given = connections["default"].settings_dict
    host = socket_folder or given["HOST"] or given["OPTIONS"].get("host", "")
    user, password, port = given["USER"] or "postgres", given["PASSWORD"], given["PORT"]
    name = sql.Identifier(_LIVE)
    with connect(
        host=host, user=user, password=password or None, port=port or None, dbname="postgres", autocommit=True
    ) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        server.execute(sql.SQL("CREATE DATABASE {}").format(name))
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
