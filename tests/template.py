"""A migrated, empty database on the embedded cluster, to be copied: every migration anew takes seconds."""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import LiteralString

from psycopg import Connection, connect, sql

from bars_portal.demo.processes import EmbeddedPostgres

ROOT = Path(__file__).resolve().parent.parent
# Whatever could change what a migration leaves behind.
_SOURCES = ("bars_portal", "bookings", "directory", "referrals")
_PINNED = ROOT / "requirements" / "dev.txt"
_PREFIX = "bars_template_"
# The workers of a parallel run: one makes it, the others wait.
_LOCK = 20261121


def migrated_template(server: EmbeddedPostgres) -> str:
    """Name of the database to copy; made when the code has changed since. Nobody may stay connected to it."""
    name = _PREFIX + _fingerprint()
    with connect(host=server.socket_folder, user="postgres", dbname="postgres", autocommit=True) as admin:
        admin.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        if name not in _templates(admin):
            _drop_all(admin)
            _make(admin, server, name)
    return name


def _fingerprint() -> str:
    digest = sha256(_PINNED.read_bytes())
    for file in sorted(each for package in _SOURCES for each in (ROOT / package).rglob("*.py")):
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def _templates(admin: Connection) -> list[str]:
    rows = admin.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [_PREFIX])
    return [name for (name,) in rows]


def _drop_all(admin: Connection) -> None:
    for name in _templates(admin):
        _execute(admin, "DROP DATABASE {} WITH (FORCE)", name)


def _make(admin: Connection, server: EmbeddedPostgres, name: str) -> None:
    """Under another name until it is whole: a run that is cut short leaves nothing that looks finished."""
    unfinished = name.replace(_PREFIX, f"{_PREFIX}unfinished_")
    settings = {"DATABASE_URL": server.url(unfinished), "DJANGO_SETTINGS_MODULE": "bars_portal.settings.test"}
    subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", "migrate", "--verbosity", "0"],
        env={**os.environ, **settings},
        cwd=ROOT,
        check=True,
    )
    admin.execute(
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(unfinished), sql.Identifier(name))
    )


def _execute(admin: Connection, statement: LiteralString, name: str) -> None:
    admin.execute(sql.SQL(statement).format(sql.Identifier(name)))
