"""`make demo`: set up, start portal, receiver, simulator and worker, and stop them all on Ctrl-C."""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

from bars_portal.demo import setup
from bars_portal.demo.database import start_embedded
from bars_portal.demo.ports import Ports, PortTaken
from bars_portal.demo.processes import ChildEnded, Children
from bars_portal.demo.readiness import wait_until_ready
from bars_portal.demo.welcome import welcome
from bars_portal.env import VAR


def main() -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    ports = Ports.read()
    try:
        ports.require_free()
        if os.environ.get("RESET"):
            _reset(VAR)
        url, stop_database = _database(VAR)
        try:
            _run(ports, url)
        finally:
            stop_database()
    except (PortTaken, ChildEnded, TimeoutError) as problem:
        print(f"\nThe demo stopped: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nThe demo has stopped.")
    return 0


def _run(ports: Ports, database_url: str) -> None:
    pki, credentials = setup.ensure_pki(VAR), setup.ensure_credentials(VAR)
    shared = setup.portal_environment(VAR, ports, credentials, database_url)
    setup.write_simulator_files(VAR, ports, credentials)
    setup.write_demo_env(VAR, shared)
    os.environ.update(shared)
    _prepare_data()
    children = Children()
    try:
        _start(children, ports, shared, setup.receiver_environment(ports, pki), pki)
        wait_until_ready(ports, children)
        print(welcome(ports), flush=True)
        children.watch()
    finally:
        # A second Ctrl-C must not cut the stopping short.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        children.stop()


def _start(
    children: Children,
    ports: Ports,
    shared: dict[str, str],
    receiver: dict[str, str],
    pki: setup.PkiFiles,
) -> None:
    python = sys.executable
    gunicorn = [python, "-m", "gunicorn", "-c", "deploy/gunicorn_portal.py"]
    portal = {**shared, "PORTAL_BIND": f"127.0.0.1:{ports.portal}", "PORTAL_WORKERS": "1"}
    simulator = [python, "-m", "bars_portal.simulator", *setup.simulator_arguments(VAR, ports, pki)]
    celery = [python, "-m", "celery", "-A", "bars_portal.celery:app", "worker", "--beat"]
    celery += ["--pool", "threads", "--concurrency", "8", "--loglevel", "WARNING", "--without-mingle"]
    children.start("simulator", simulator, {})
    children.start("receiver", [python, "-m", "bars_portal.exchange.receiver.server"], {**shared, **receiver})
    children.start(
        "receiver's health",
        [python, "-m", "bars_portal.exchange.receiver.server.health"],
        {**shared, **receiver},
    )
    children.start("portal", [*gunicorn, "bars_portal.wsgi:application"], portal)
    children.start("worker", celery, {**shared, "BARS_PROCESS": "worker"})


def _prepare_data() -> None:
    """Migrations and demo data, in this process: a second interpreter would cost the start two seconds."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    call_command("seed_demo", verbosity=1)
    from django.db import connection

    connection.close()
    connection.close_pool()


def _database(var: Path) -> tuple[str, Callable[[], None]]:
    """The server that DATABASE_URL names, or an embedded one under var/."""
    given = os.environ.get("DATABASE_URL")
    if given:
        return given, lambda: None
    server = start_embedded(var / "postgres")
    return server.url("bars_portal"), server.stop


def _reset(var: Path) -> None:
    """From empty; an embedded server that a kill left behind is stopped first."""
    if (var / "postgres" / "PG_VERSION").exists() and not os.environ.get("DATABASE_URL"):
        start_embedded(var / "postgres").stop()
    for name in ("postgres", "pki", "keys", "simulator", "celery", "demo.env"):
        target = var / name
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
