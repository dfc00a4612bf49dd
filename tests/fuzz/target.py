"""The receiver under fire: the real program over mutual TLS, its workers and what they hold in memory."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bars_portal.demo import setup
from bars_portal.demo.processes import programs
from bars_portal.demo.setup import Ports
from tests.live.partner import direct_client, mutual_tls, wait_until
from tests.stack import Stack, free_ports, logging_to

_READY_SECONDS = 60.0


@dataclass(frozen=True)
class Target:
    """Where to shoot. `master` is the server's own process, whose children are the workers."""

    port: int
    context: ssl.SSLContext
    master: int
    log: Path

    def workers(self) -> frozenset[int]:
        """Process ids (Linux)."""
        found = (each.parent for each in Path("/proc").glob("[0-9]*/stat"))
        return frozenset(int(each.name) for each in found if _parent_of(each) == self.master)

    def logged(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


def resident(pid: int) -> float:
    """MB of memory; 0 for a process that is gone."""
    try:
        pages = int((Path("/proc") / str(pid) / "statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * 4096 / 1e6


def target_of(stack: Stack) -> Target:
    master = stack.running["receiver"].process.pid
    return Target(stack.ports.receiver, mutual_tls(stack), master, stack.var / "stack.log")


@contextmanager
def running_receiver(var: Path, database_url: str) -> Iterator[Stack]:
    """The receiver alone, with the demo's data; it answers before this yields, and leaves no process."""
    ports = Ports(*free_ports(4))
    pki, credentials = setup.ensure_pki(var), setup.ensure_credentials(var)
    environment = setup.portal_environment(var, ports, credentials, database_url)
    known = programs(var, ports, pki, environment)
    stack = Stack(var, ports, pki, environment, {"receiver": logging_to(known["receiver"], var)})
    stack.manage("migrate", "--verbosity", "0")
    stack.manage("seed_demo")
    try:
        stack.start("receiver")
        _wait(stack)
        yield stack
    finally:
        stack.stop()


def _wait(stack: Stack) -> None:
    """Raises TimeoutError."""
    context = mutual_tls(stack)
    wait_until(lambda: _answers(stack, context), seconds=_READY_SECONDS)


def _answers(stack: Stack, context: ssl.SSLContext) -> bool:
    try:
        with direct_client(stack, context) as http:
            return http.get("/metadata").status_code > 0
    except httpx.TransportError:
        return False


def _parent_of(process: Path) -> int:
    """0 for one that has ended, also while nobody has asked how."""
    try:
        # After the name, which may hold anything, in brackets: state and parent.
        state, parent, *_ = (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if state == "Z" else int(parent)
