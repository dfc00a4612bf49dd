"""How a fault is done: to programs, to the database, to the broker, to a clock, and at a partner's door."""

import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx

from bars_portal.demo.processes import EmbeddedPostgres
from tests.chaos.surroundings import Surroundings, set_clock
from tests.processes import is_empty
from tests.stack import Stack

# By what their command lines are known.
PROGRAMS = {
    "worker": "celery",
    "receiver": "receiver.server",
    "portal": "gunicorn_portal",
    "simulator": "bars_portal.simulator",
}
# What compose.yaml gives a worker.
GRACE_SECONDS = 45.0


@dataclass
class Run:
    """The stack, and the partners of whom `struck` are those with a fault of their own.

    `messages` are sent in all; `said` is what a strike has measured; `pressed_again` counts the times
    that a person got no page and pressed send once more.
    """

    stack: Stack
    database: EmbeddedPostgres
    around: Surroundings
    messages: int
    partners: list[str]
    struck: list[str]
    said: list[str] = field(default_factory=list)
    pressed_again: int = 0

    @property
    def times(self) -> int:
        """How many requests of each struck partner are hit, so that a twentieth of all messages is."""
        return max(2, min(100, self.messages // 20) // len(self.struck))

    def drill(self, fault: str, *, service: str = "", times: int = 0, seconds: float = 0.0) -> None:
        """At each struck partner (or at `service`); whether the receiver does its work the fault says."""
        for each in [service] if service else self.struck:
            asked = {"service": each, "fault": fault, "times": times or self.times, "seconds": seconds}
            self._ask("POST", asked | {"method": "POST"})

    def calm(self) -> None:
        self._ask("DELETE")

    def _ask(self, method: str, asked: Mapping[str, object] | None = None) -> None:
        with httpx.Client(trust_env=False, timeout=30) as http:
            http.request(method, f"{self.stack.simulator}/simulator/faults", json=asked).raise_for_status()

    def pids(self, program: str) -> list[int]:
        found = self.stack.launcher.children().items()
        return [pid for pid, line in found if PROGRAMS[program] in line]


Strike = Callable[[Run], None]


def drill(*faults: str, times: int = 0, seconds: float = 0.0) -> Strike:
    """A share of each struck partner's requests meets one of the faults, or `times` of them each."""

    def strike(run: Run) -> None:
        for fault in faults:
            run.drill(fault, times=times or max(1, run.times // len(faults)), seconds=seconds)

    return strike


def calm_after(seconds: float) -> Strike:
    def strike(run: Run) -> None:
        time.sleep(seconds)
        run.calm()

    return strike


def kill(program: str) -> Strike:
    """kill -9 of a program with all that it started, three times; the launcher starts it again."""

    def strike(run: Run) -> None:
        for _ in range(3):
            run.stack.wait_ready()
            time.sleep(3)
            victims = run.pids(program)
            assert victims, f"no {program} is running"
            for pid in victims:
                os.killpg(pid, signal.SIGKILL)
            _await_another(run, program, victims)

    return strike


def restart_all(run: Run) -> None:
    """SIGTERM to one program after the other, as a deployment does it; the launcher starts it again."""
    for program in PROGRAMS:
        time.sleep(3)
        run.said.append(f"{program} stopped in {_end(run, program):.0f} s")


def _end(run: Run, program: str) -> float:
    """The seconds until it has ended."""
    victims, began = run.pids(program), time.monotonic()
    assert victims, f"no {program} is running"
    for pid in victims:
        os.kill(pid, signal.SIGTERM)
    while not all(map(is_empty, victims)):
        took = time.monotonic() - began
        assert took < GRACE_SECONDS, f"{program} did not end within its time of grace"
        time.sleep(0.1)
    took = time.monotonic() - began
    _await_another(run, program, victims)
    return took


def _await_another(run: Run, program: str, victims: list[int]) -> None:
    deadline = time.monotonic() + 30
    while not set(run.pids(program)) - set(victims):
        assert time.monotonic() < deadline, f"{program} was not started again"
        time.sleep(0.1)


def restart_database(run: Run) -> None:
    """Once in order, once as by a power cut."""
    server = run.database.server
    for number in (signal.SIGINT, signal.SIGQUIT):
        time.sleep(3)
        pid = server.get_pid()
        assert pid is not None
        os.kill(pid, number)
        while server.get_postmaster_info().is_running():
            time.sleep(0.05)
        time.sleep(2)
        server.ensure_postgres_running()


def broker_away(run: Run) -> None:
    assert run.around.broker is not None
    time.sleep(1)
    run.around.broker.kill()
    time.sleep(30)
    run.around.broker.start()


def broker_frozen(run: Run) -> None:
    """And the worker has to end and begin meanwhile."""
    assert run.around.broker is not None
    time.sleep(1)
    run.around.broker.signal(signal.SIGSTOP)
    time.sleep(6)
    run.said.append(f"worker stopped in {_end(run, 'worker'):.0f} s")
    time.sleep(20)
    run.around.broker.signal(signal.SIGCONT)


def disk_full(run: Run) -> None:
    assert run.around.disk is not None
    filler = run.around.disk / "filler"
    time.sleep(1)
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            run.said.append("the disk was full for 15 s")
    time.sleep(15)
    filler.unlink()


def clocks_jump(run: Run) -> None:
    """Ten minutes ahead, ten behind, and back: one program at a time."""
    assert run.around.clocks is not None
    for program in PROGRAMS:
        for seconds in (600, -600, 0):
            set_clock(run.around.clocks, program, seconds)
            time.sleep(4)


def token_away(run: Run) -> None:
    """Nobody gets a token for some seconds, and the one that was held is over."""
    run.drill("503", service="token", times=1000)
    run.stack.run(
        "from bars_portal.exchange.models import AccessToken;"
        "AccessToken.objects.update(ciphertext=None, expires_at=None)"
    )
