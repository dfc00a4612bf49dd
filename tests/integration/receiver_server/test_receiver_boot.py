"""A worker that cannot start again leaves the others alone, and comes back by itself."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bars_portal.credentials.local_pki import PkiFiles, ensure_local_pki
from tests.integration.receiver_server.running import running
from tests.processes import children_of, needs_proc

pytestmark = needs_proc


def comes(true: Callable[[], bool], *, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


@pytest.mark.further
def test_one_that_cannot_start_ends_nobody_else(pki: PkiFiles, tmp_path: Path) -> None:
    """Its key is away for a while, as when files are renewed, or a volume is not there."""
    shutil.copytree(pki.directory, tmp_path / "pki")
    own = ensure_local_pki(tmp_path / "pki", now=datetime.now(UTC))
    with running(own, tmp_path) as receiver:
        key, away = own.key("receiver"), tmp_path / "away"
        key.rename(away)
        os.kill(next(iter(children_of(receiver.process.pid))), signal.SIGKILL)
        assert comes(lambda: "exited with code 1" in receiver.log), receiver.log
        receiver.ask()
        assert receiver.process.poll() is None
        away.rename(key)
        assert comes(lambda: receiver.log.count("Worker ready") == 3), receiver.log
        receiver.ask()


def test_a_release_that_cannot_start_at_all_ends(pki: PkiFiles, tmp_path: Path) -> None:
    """Whoever watches the process must see it."""
    with (
        pytest.raises(AssertionError, match="Worker failed to boot"),
        running(pki, tmp_path, {"BROKEN": "1"}),
    ):
        pass
