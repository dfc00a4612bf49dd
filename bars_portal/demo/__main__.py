"""`make demo`: set up, start portal, receiver, simulator and worker, and stop them all on Ctrl-C."""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from types import FrameType
from typing import NoReturn
from urllib.parse import urlsplit

from bars_portal.credentials.local_pki import PkiFiles
from bars_portal.demo import facts, setup
from bars_portal.demo.processes import (
    ChildEnded,
    Children,
    DatabaseUrls,
    programs,
    start_embedded,
    wait_until_ready,
)
from bars_portal.demo.setup import Ports, PortTaken
from bars_portal.settings.environment import VAR, env


def main() -> int:
    # Set by ourselves: a shell that starts us in the background has switched SIGINT off.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    ports = Ports.read()
    try:
        ports.require_free()
        if env.text("RESET", ""):
            _reset(VAR)
        urls, stop_database = _database(VAR)
        try:
            _run(ports, urls)
        finally:
            stop_database()
    except (PortTaken, ChildEnded, TimeoutError) as problem:
        print(f"\nThe demo stopped: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nThe demo has stopped.")
    return 0


def _run(ports: Ports, urls: DatabaseUrls) -> None:
    pki, shared = _prepare(VAR, ports, urls)
    children = Children()
    try:
        for name, program in programs(VAR, ports, pki, shared).items():
            children.start(name, program)
        wait_until_ready(ports, children)
        print(_welcome(ports), flush=True)
        children.watch()
    finally:
        # A second Ctrl-C must not cut the stopping short.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        children.stop()


def _prepare(var: Path, ports: Ports, urls: DatabaseUrls) -> tuple[PkiFiles, dict[str, str]]:
    """Idempotent. Returns the certificates and the environment that portal, receiver and worker share."""
    pki, credentials = setup.ensure_pki(var), setup.ensure_credentials(var)
    shared = setup.portal_environment(var, ports, credentials, urls.application)
    setup.write_simulator_files(var, ports, credentials)
    setup.write_demo_env(var, shared)
    setup.write_manage_env(var, {**shared, "OWNER_DATABASE_URL": urls.owner})
    os.environ.update({**shared, "DATABASE_URL": urls.owner})
    _prepare_data(urls)
    return pki, shared


def _prepare_data(urls: DatabaseUrls) -> None:
    """As who owns the tables, and in this process: a second interpreter would cost the start two seconds."""
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    call_command("seed_demo", verbosity=1)
    if urls.owner != urls.application:
        role = urlsplit(urls.application).username
        call_command("database_roles", "--apply", "--application", role, stdout=StringIO())
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # of the PostgreSQL backend


def _welcome(ports: Ports) -> str:
    names = ", ".join(user.username for user in facts.USERS)
    return f"""
The demo is ready. It is not for patients.

  Portal     http://127.0.0.1:{ports.portal}           (administration: /admin/)
  Receiver   https://127.0.0.1:{ports.receiver}/FHIR/R4  (mutual TLS; certificates in var/pki)
  REST API   http://127.0.0.1:{ports.portal}/api/v1/     (documentation: /api/docs/)
  Simulator  http://127.0.0.1:{ports.simulator}           (the NHS side: what it received)

  Sign in as {names}
  Password   {facts.PASSWORD}
  For the API: client id {facts.API_CLIENT_ID}, secret {setup.ensure_api_secret(VAR, facts.API_CLIENT_ID)}
               and, of the host, client id {facts.HOST_API_CLIENT_ID}: its secret is in var/demo.env

Press Ctrl-C to stop everything.
"""


def _database(var: Path) -> tuple[DatabaseUrls, Callable[[], None]]:
    """The server that DATABASE_URL names, or an embedded one under var/."""
    given = env.text("DATABASE_URL", "")
    if given:
        return DatabaseUrls(env.text("OWNER_DATABASE_URL", "") or given, given), lambda: None
    server = start_embedded(var / "postgres")
    return server.urls("bars_portal"), server.stop


_FOLDERS = ("postgres", "pki", "keys", "simulator", "celery", "audit-heads")


def _reset(var: Path) -> None:
    """From empty; an embedded server that a kill left behind is stopped first."""
    if (var / "postgres" / "PG_VERSION").exists() and not env.text("DATABASE_URL", ""):
        start_embedded(var / "postgres").stop()
    for name in (*_FOLDERS, "demo.env", "manage.env"):
        target = var / name
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
