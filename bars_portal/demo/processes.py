"""Children of the launcher: started together, watched, and all stopped when it ends."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bars_portal.env import ROOT

_GRACE_SECONDS = 8.0


class ChildEnded(Exception):
    """A child stopped by itself; the text names it."""


@dataclass
class Children:
    """Each child leads a process group of its own, so that nothing of it can outlive `stop()`."""

    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.running[name] = subprocess.Popen(
            command, env={**os.environ, **environment}, cwd=ROOT, start_new_session=True
        )

    def check(self) -> None:
        """Raises ChildEnded."""
        for name, child in self.running.items():
            if child.poll() is not None:
                raise ChildEnded(f"The {name} ended with exit code {child.returncode}.")

    def watch(self) -> None:
        """Until a child ends by itself (ChildEnded) or a signal interrupts."""
        while True:
            self.check()
            time.sleep(0.5)

    def stop(self) -> None:
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + _GRACE_SECONDS
        while self._alive() and time.monotonic() < deadline:
            time.sleep(0.05)
        self._signal(signal.SIGKILL)
        for child in self.running.values():
            child.wait()

    def _alive(self) -> list[subprocess.Popen[bytes]]:
        return [child for child in self.running.values() if child.poll() is None]

    def _signal(self, number: signal.Signals) -> None:
        for child in self.running.values():
            try:
                os.killpg(child.pid, number)
            except ProcessLookupError:
                continue
