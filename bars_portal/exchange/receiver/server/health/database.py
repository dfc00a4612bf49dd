"""Whether the database answers and has every migration. The one module of this package that needs Django."""

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import DatabaseError

from bars_portal.exchange.receiver.server.health.checks import CheckFailed


def check_database() -> None:
    """Raises CheckFailed. Uses a connection of its own and gives it back."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        raise CheckFailed("no answer") from None
    finally:
        connection.close()
    if missing:
        raise CheckFailed("migrations not applied")
