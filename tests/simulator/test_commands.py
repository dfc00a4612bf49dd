"""Drills and resets from the command line, against the running program."""

import json
from collections.abc import Iterator

import httpx
import pytest

from bars_portal.simulator.commands import is_command, run
from bars_portal.simulator.tkw.stateful import PATIENT
from tests.simulator import messages
from tests.simulator.conftest import REQUESTER, World


@pytest.fixture(autouse=True)
def calm(world: World) -> Iterator[None]:
    yield
    httpx.delete(f"{world.url}/simulator/faults", trust_env=False)


def drills(world: World) -> list[dict[str, object]]:
    shown: list[dict[str, object]] = httpx.get(f"{world.url}/simulator/faults", trust_env=False).json()
    return shown


def test_a_drill_is_switched_on_shown_and_off(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    environment = {"SIMULATOR_PUBLIC_URL": world.url}

    assert run(["drill", REQUESTER, "503", "--times", "2", "--method", "get"], environment) == 0
    assert world.sender.call("GET", "/Slot", service=REQUESTER).status_code == 503
    capsys.readouterr()
    assert run(["drills"], environment) == 0
    (shown,) = json.loads(capsys.readouterr().out)
    assert (shown["service"], shown["times"], shown["method"]) == (REQUESTER, 1, "GET")

    assert run(["calm", REQUESTER], environment) == 0
    assert drills(world) == []


def test_everything_is_switched_off(world: World) -> None:
    for service in ("1", "2"):
        run(["drill", service, "slow", "--seconds", "0.5", "--url", world.url], {})
    assert [each["seconds"] for each in drills(world)] == [0.5, 0.5]

    run(["calm", "--url", world.url], {})

    assert drills(world) == []


def test_an_organisation_is_reset(world: World) -> None:
    bundle = messages.booking(PATIENT)
    world.sender.post(bundle, organisation="CLI1")
    assert world.sender.post(bundle, organisation="CLI1").status_code == 409

    assert run(["reset", "CLI1", "--url", world.url], {}) == 0

    assert world.sender.post(bundle, organisation="CLI1").status_code == 200


def test_a_refused_drill_is_an_error(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["drill", "1", "cut", "--times", "0", "--url", world.url], {}) == 1
    assert "times (1 to 1000" in capsys.readouterr().out


def test_no_simulator_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["drills", "--url", "http://127.0.0.1:9"], {}) == 1
    assert "no simulator answers" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["--list-scenarios"], True),
        (["drill", "1", "cut"], True),
        (["--port=1"], False),
        ([], False),
    ],
)
def test_what_is_a_command(arguments: list[str], command: bool) -> None:
    assert is_command(arguments) == command
