"""The whole demo as its launcher starts it, on free ports and with data of its own: one for a whole run."""

import fcntl
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TextIO

from bars_portal.credentials.local_pki import PkiFiles
from bars_portal.demo.processes import is_ready
from bars_portal.demo.setup import Ports
from tests.console import ROOT, Console
from tests.processes import children_of

PORT_NAMES = {
    "PORTAL_PORT": "portal",
    "RECEIVER_PORT": "receiver",
    "RECEIVER_HEALTH_PORT": "receiver_health",
    "SIMULATOR_PORT": "simulator",
}
_READY_SECONDS = 180.0


@dataclass(frozen=True)
class Launcher:
    """`python -m bars_portal.demo` with its state in `var`, or another module that starts it.

    `environment` comes beside its own, for all of its programs.
    """

    var: Path
    ports: Ports
    database_url: str
    module: str = "bars_portal.demo"
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """Everything that any of its programs printed."""
        return self.var / "stack.log"

    @property
    def pid(self) -> int:
        return int((self.var / "launcher.pid").read_text())

    def start(self) -> subprocess.Popen[bytes]:
        ports = {name: str(getattr(self.ports, port)) for name, port in PORT_NAMES.items()}
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", self.module],
                cwd=ROOT,
                env={
                    **inherited,
                    **ports,
                    "BARS_VAR": str(self.var),
                    **_parted(self.database_url),
                    **self.environment,
                },
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        (self.var / "launcher.pid").write_text(str(process.pid))
        return process

    def start_and_wait(self) -> None:
        """Until the demo is ready. Raises AssertionError with the end of its log when it stopped instead."""
        before = len(self.log.read_text()) if self.log.exists() else 0
        process, deadline = self.start(), time.monotonic() + _READY_SECONDS
        _started[process.pid] = process
        while "The demo is ready" not in self.log.read_text(errors="replace")[before:]:
            assert process.poll() is None, self.log.read_text()[-2000:]
            assert time.monotonic() < deadline, self.log.read_text()[-2000:]
            time.sleep(0.1)

    def interrupt(self) -> float:
        """Ctrl-C; the seconds until it has said goodbye."""
        began, before = time.monotonic(), self.log.read_text().count(_GOODBYE)
        pid = self.pid
        os.kill(pid, signal.SIGINT)
        while self.log.read_text().count(_GOODBYE) == before:
            assert time.monotonic() < began + 60, self.log.read_text()[-2000:]
            time.sleep(0.05)
        if pid in _started:
            assert _started.pop(pid).wait(timeout=30) == 0
        return time.monotonic() - began

    def children(self) -> dict[int, str]:
        """Process id and command line of each program; each leads a group of its own."""
        return children_of(self.pid)

    def receiver(self) -> int:
        """Process id of its master."""
        (found,) = [pid for pid, line in self.children().items() if line.endswith("receiver.server")]
        return found


_GOODBYE = "The demo has stopped."
# Those of this process, by their ids: they are waited for.
_started: dict[int, subprocess.Popen[bytes]] = {}


def _parted(database_url: str) -> dict[str, str]:
    """On the embedded server, which asks for no password, the programs run as the role that owns nothing."""
    application = database_url.replace("//postgres@/", "//bars_app@/")
    return {"DATABASE_URL": application, "OWNER_DATABASE_URL": database_url}


@dataclass(frozen=True)
class Stack:
    """The running programs."""

    launcher: Launcher

    @property
    def var(self) -> Path:
        return self.launcher.var

    @property
    def ports(self) -> Ports:
        return self.launcher.ports

    @property
    def pki(self) -> PkiFiles:
        return PkiFiles(self.var / "pki")

    @property
    def portal(self) -> str:
        return f"http://127.0.0.1:{self.ports.portal}"

    @property
    def receiver(self) -> str:
        return f"https://localhost:{self.ports.receiver}/FHIR/R4"

    @property
    def simulator(self) -> str:
        return f"http://127.0.0.1:{self.ports.simulator}"

    @property
    def log(self) -> str:
        return self.launcher.log.read_text(errors="replace")

    @contextmanager
    def receiver_away(self) -> Iterator[None]:
        """Killed with all that it started, the hardest way to go; afterwards the launcher revives it."""
        launcher = self.launcher.pid
        os.kill(launcher, signal.SIGSTOP)
        try:
            os.killpg(self.launcher.receiver(), signal.SIGKILL)
            yield
        finally:
            os.kill(launcher, signal.SIGCONT)
            self.wait_ready()

    def wait_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not all(is_ready(port) for port in (self.ports.portal, self.ports.receiver_health)):
            assert time.monotonic() < deadline, self.log[-2000:]
            time.sleep(0.1)

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """What the launcher left for `manage.py` beside it."""
        lines = (self.var / "manage.env").read_text().splitlines()
        told = {name: shlex.split(value)[0] for name, _, value in (line.partition("=") for line in lines)}
        return {**told, **self.launcher.environment}

    @cached_property
    def _console(self) -> Console:
        return Console(self.environment)

    def run(self, code: str) -> str:
        """In a Python of the stack's own environment, kept open; what the code printed."""
        return self._console.run(code).strip()

    def call(self, function: str, *arguments: object, **named: object) -> str:
        """What a function, named with its module, gives there; arguments go by their repr()."""
        module, _, name = function.rpartition(".")
        return self.run(f"import {module}; print({module}.{name}(*{arguments!r}, **{named!r}))")

    def manage(self, *arguments: str) -> str:
        """A management command there. Raises RuntimeError when it fails."""
        return self.run(f"from django.core.management import call_command as call; call(*{arguments!r})")

    def close(self) -> None:
        if "_console" in self.__dict__:
            self._console.__exit__()


@contextmanager
def shared_stack(
    folder: Path, *, make_var: Callable[[], Path], make_database: Callable[[], str], drop: Callable[[], None]
) -> Iterator[Stack]:
    """One for all processes that share the folder: the first one in starts it, the last one out stops it."""
    door, facts = folder / "door", folder / "stack.json"
    # A process that dies lets go of its lock: nobody waits for it.
    with (folder / "users").open("w") as users:
        with locked(door):
            fcntl.flock(users, fcntl.LOCK_SH)
            if not facts.exists():
                launcher = Launcher(make_var(), Ports(*free_ports(4)), make_database(), module="tests.demo")
                launcher.start_and_wait()
                facts.write_text(json.dumps({**asdict(launcher), "var": str(launcher.var)}))
        told = json.loads(facts.read_text())
        stack = Stack(Launcher(**{**told, "var": Path(told["var"]), "ports": Ports(**told["ports"])}))
        try:
            yield stack
        finally:
            stack.close()
            with locked(door):
                if _is_the_last(users):
                    facts.unlink()
                    stack.launcher.interrupt()
                    drop()


def _is_the_last(users: TextIO) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def locked(file: Path) -> Iterator[None]:
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


@contextmanager
def turn(folder: Path, *, alone: bool) -> Iterator[None]:
    """To use the stack beside others, or alone: its faults and its death are then of one test only."""
    with (folder / "turn").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


def free_ports(count: int) -> list[int]:
    """Held together while they are found, so that no two are the same."""
    held = [socket.socket() for _ in range(count)]
    for each in held:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports
