"""`make onboarding-demo`: a new organisation from nothing to a booking, by commands alone."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bars_portal.demo.processes import start_embedded
from bars_portal.demo.setup import Ports
from tests.processes import command_of, needs_proc, parents
from tests.stack import Launcher, free_ports

pytestmark = [pytest.mark.thorough, needs_proc]
_PATIENCE_SECONDS = 1_800.0


def test_from_nothing_to_a_booking_by_commands_and_nothing_secret_is_seen(tmp_path: Path) -> None:
    """With the sender drill of int. Searched for secrets: output, logs, process list, database, backup."""
    launcher = Launcher(tmp_path, Ports(*free_ports(4)), "", "bars_portal.demo.onboarding")
    process, commands = launcher.start(), set[str]()
    until = time.monotonic() + _PATIENCE_SECONDS
    while process.poll() is None:
        assert time.monotonic() < until, launcher.log.read_text()[-2000:]
        commands.update(map(command_of, descendants(process.pid, parents())))
        time.sleep(0.05)
    said = launcher.log.read_text()
    assert process.returncode == 0, said[-2000:]
    assert [line.split()[0] for line in said.splitlines()][:13] == [
        *("facts", "key", "registration", "token", "name", "request", "certificate", "network"),
        *("catalogue", "connection", "partner-view", "self-test", "go-live"),
    ]
    assert "Booked: sent as" in said
    secrets = list(secrets_in(tmp_path / "credentials" / "simulated-int" / "HAR01"))
    assert len(secrets) > 100, "an API key, and the lines of three private keys"
    assert any("bars_onboarding" in each for each in commands)
    dump = backup_of(tmp_path)
    assert "Sender drill" in dump, "what was run is there to be searched"
    everywhere = "\n".join([said, (tmp_path / "programs.log").read_text(), *commands, dump])
    assert [each for each in secrets if each in everywhere] == []
    assert "PRIVATE KEY" not in everywhere


def descendants(pid: int, parent_of: dict[int, int]) -> Iterator[int]:
    """The process itself too."""
    yield pid
    for child, parent in parent_of.items():
        if parent == pid:
            yield from descendants(child, parent_of)


def secrets_in(folder: Path) -> Iterator[str]:
    """The API key, and of each private key the lines between its frame."""
    yield (folder / "api-key").read_text().strip()
    for file in folder.glob("*.key"):
        yield from file.read_text().splitlines()[1:-1]


def backup_of(var: Path) -> str:
    """What `pg_dump` writes of everything that the programs left."""
    server = start_embedded(var / "postgres")
    try:
        command = [str(server.server.bin_path / "pg_dump"), "--inserts", server.url("bars_portal")]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    finally:
        server.stop()
