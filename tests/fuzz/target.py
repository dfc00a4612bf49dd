"""The receiver under fire: the real program over mutual TLS, its workers and what they hold in memory."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bars_portal.demo.setup import Ports
from tests.live.partner import mutual_tls
from tests.processes import children_of
from tests.stack import Launcher, Stack, free_ports


@dataclass(frozen=True)
class Target:
    """Where to shoot. `master` is the server's own process, whose children are the workers."""

    port: int
    context: ssl.SSLContext
    master: int
    log: Path

    def workers(self) -> frozenset[int]:
        """Process ids (Linux)."""
        return frozenset(children_of(self.master))

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
    launcher = stack.launcher
    return Target(stack.ports.receiver, mutual_tls(stack), launcher.receiver(), launcher.log)


@contextmanager
def running_demo(var: Path, database_url: str, **started: Any) -> Iterator[Stack]:
    """A demo of its own, which answers before this yields; `started` is what else the launcher takes."""
    stack = Stack(Launcher(var, Ports(*free_ports(4)), database_url, **started))
    stack.launcher.start_and_wait()
    try:
        yield stack
    finally:
        stack.close()
        stack.launcher.interrupt()
