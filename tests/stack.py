"""The whole demo as a test fixture: the real programs on free ports, with data of their own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bars_portal.credentials.local_pki import PkiFiles
from bars_portal.demo import setup
from bars_portal.demo.processes import Child, Program, is_ready, programs
from bars_portal.demo.setup import Ports

ROOT = Path(__file__).resolve().parent.parent
# In one process, as the launcher does it: a second interpreter would cost the start two seconds.
_PREPARE = (
    "from django.core.management import call_command as call; call('migrate', verbosity=0); call('seed_demo')"
)


@dataclass
class Stack:
    """Running programs. `log` holds everything that any of them printed."""

    var: Path
    ports: Ports
    pki: PkiFiles
    environment: Mapping[str, str]
    programs: Mapping[str, Program]
    running: dict[str, Child] = field(default_factory=dict)

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
        return (self.var / "stack.log").read_text(errors="replace")

    def start(self, *names: str) -> None:
        for name in names:
            self.running[name] = Child.start(self.programs[name])

    def kill(self, name: str) -> None:
        """SIGKILL to the program and all that it started: the hardest way to go."""
        import signal

        child = self.running.pop(name)
        child.signal(signal.SIGKILL)
        child.process.wait()

    def stop(self) -> None:
        for name in list(self.running):
            self.kill(name)

    def wait_ready(self, *, seconds: float = 180.0) -> None:
        deadline = time.monotonic() + seconds
        for port in (self.ports.portal, self.ports.receiver_health):
            while not is_ready(port):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"not ready within {seconds} s; see {self.var / 'stack.log'}")
                time.sleep(0.1)

    def manage(self, *arguments: str) -> str:
        """`manage.py` in the stack's own environment; what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env={**os.environ, **self.environment},
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout


@contextmanager
def running_stack(var: Path, database_url: str) -> Iterator[Stack]:
    """Set up in `var`, start everything, wait until it is ready, and leave no process behind."""
    ports = Ports(*free_ports(4))
    pki, credentials = setup.ensure_pki(var), setup.ensure_credentials(var)
    environment = setup.portal_environment(var, ports, credentials, database_url)
    setup.write_simulator_files(var, ports, credentials)
    setup.write_demo_env(var, environment)
    logged = {
        name: logging_to(program, var) for name, program in programs(var, ports, pki, environment).items()
    }
    stack = Stack(var, ports, pki, environment, logged)
    stack.manage("shell", "--no-imports", "-c", _PREPARE)
    try:
        stack.start(*stack.programs)
        stack.wait_ready()
        yield stack
    finally:
        stack.stop()


def logging_to(program: Program, var: Path) -> Program:
    """The same program with its output appended to one file."""
    command = ["sh", "-c", 'log=$1; shift; exec "$@" >>"$log" 2>&1', "sh", str(var / "stack.log")]
    return Program([*command, *program.command], program.environment)


def free_ports(count: int) -> list[int]:
    """Held together while they are found, so that no two are the same."""
    held = [socket.socket() for _ in range(count)]
    for each in held:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports
