"""The health process's look at the database, against a real one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db.migrations.recorder import MigrationRecorder

from bars_portal.exchange.receiver.server.health import CheckFailed, check_database


def in_a_thread(call: Callable[[], None]) -> None:
    """As the health server does: with a connection of its own, which it closes."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(call).result(timeout=20)


@pytest.mark.django_db(transaction=True)
def test_a_migrated_database_is_ready() -> None:
    in_a_thread(check_database)


@pytest.mark.django_db(transaction=True)
def test_a_missing_migration_is_told() -> None:
    migrations = MigrationRecorder.Migration.objects.filter(app="exchange")
    saved = list(migrations)
    migrations.delete()
    try:
        with pytest.raises(CheckFailed, match="migrations not applied"):
            in_a_thread(check_database)
    finally:
        MigrationRecorder.Migration.objects.bulk_create(saved)
