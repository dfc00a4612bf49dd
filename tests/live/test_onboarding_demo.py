"""`make onboarding-demo`: a new organisation from nothing to a booking, by commands alone."""

from pathlib import Path

import pytest

from bars_portal.demo.setup import Ports
from tests.stack import Launcher, free_ports

pytestmark = pytest.mark.thorough


def test_from_nothing_to_a_booking_by_commands(tmp_path: Path) -> None:
    launcher = Launcher(tmp_path, Ports(*free_ports(4)), "", "bars_portal.demo.onboarding")
    assert launcher.start().wait(timeout=900) == 0, launcher.log.read_text()[-2000:]
    said = launcher.log.read_text()
    assert [line.split()[0] for line in said.splitlines()][:12] == [
        *("facts", "key", "registration", "token", "name", "request", "certificate", "network"),
        *("catalogue", "partner-view", "self-test", "go-live"),
    ]
    assert "Booked: sent as" in said
    # What the programs printed holds no key.
    programs = (tmp_path / "programs.log").read_text()
    key = (tmp_path / "credentials" / "simulated-int" / "HAR01" / "api-key").read_text().strip()
    assert key not in said + programs
    assert "PRIVATE KEY" not in said + programs
