"""What every test may use: a PostgreSQL (embedded unless DATABASE_URL names a server) and the shared examples."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

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
def django_db_modify_db_settings(database_server: str | None) -> None:
    """Before pytest-django makes the test database: point it at the embedded cluster."""
    from django.db import connections

    if database_server is not None:
        connections["default"].settings_dict |= {"HOST": database_server, "USER": "postgres"}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> None:
    """Tests with `transaction=True` clean up by TRUNCATE: only that trigger of the audit trail is switched off."""
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:  # type: ignore[attr-defined]  # no public type
        cursor.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER audit_no_truncate")


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The published profiles and examples; tests that read them are skipped when they are absent."""
    folder = Path(os.environ.get("BARS_SHARED_DIR", ROOT.parent / "shared"))
    if not (folder / "fhir" / "examples").is_dir():
        pytest.skip("the shared examples are not here")
    return folder
