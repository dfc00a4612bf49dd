"""The outbox drained: queued referrals through the demo's own worker to services that the simulator plays.

The bound is the issue's. Beside it what a message costs each program in processor time: one worker is one
interpreter: it drains no more than the reciprocal of its share, and all together no more than two cores do.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path
from tempfile import mkdtemp

import psycopg
import stage
from pairs import finish, holds, say

from bars_portal.demo.facts import SERVICES, TKW_ODS
from bars_portal.demo.processes import start_embedded
from tests.chaos.strikes import PROGRAMS
from tests.fuzz.target import running_demo
from tests.processes import children_of
from tests.stack import Stack

BOUND = 200.0
ROUNDS, MESSAGES = 3, 600
# Imported first: it finds the project.
assert stage.ROOT
_TICKS = os.sysconf("SC_CLK_TCK")
_LEFT = "SELECT count(*) FROM exchange_outboundmessage WHERE state <> 'accepted'"


def drained(stack: Stack, url: str, partners: list[str]) -> tuple[float, dict[str, float]]:
    """Messages a second, and milliseconds of processor time for each of them, by program."""
    (worker,) = pids(stack, "worker")
    os.killpg(worker, signal.SIGSTOP)
    stack.call("tests.chaos.world.send", partners, MESSAGES)
    with psycopg.connect(url, autocommit=True) as database:
        assert database.execute(_LEFT).fetchone() == (MESSAGES,)
        before, began = spent(stack), time.monotonic()
        os.killpg(worker, signal.SIGCONT)
        while database.execute(_LEFT).fetchone() != (0,):
            assert time.monotonic() < began + 300, "not drained"
            time.sleep(0.1)
        took, after = time.monotonic() - began, spent(stack)
    return MESSAGES / took, {name: (after[name] - before[name]) / MESSAGES * 1000 for name in before}


def pids(stack: Stack, program: str) -> list[int]:
    return [pid for pid, line in stack.launcher.children().items() if PROGRAMS[program] in line]


def spent(stack: Stack) -> dict[str, float]:
    """Seconds of processor time so far, of the program and of what it has started."""
    return {name: sum(map(seconds_of, family(pids(stack, name)))) for name in ("worker", "simulator")}


def family(parents: list[int]) -> list[int]:
    return [*parents, *(child for each in parents for child in family(list(children_of(each))))]


def seconds_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def main() -> None:
    folder = Path(mkdtemp(prefix="bars-bench-outbox-"))
    server = start_embedded(folder / "postgres")
    partners = [each.service_id for each in SERVICES if each.ods_code == TKW_ODS and "a2t1" in each.use_cases]
    try:
        url, place = server.url("outbox"), folder / "demo"
        place.mkdir()
        with running_demo(place, url) as stack:
            rates = []
            for _ in range(ROUNDS):
                rate, cost = drained(stack, url, partners)
                rates.append(rate)
                say(f"{rate:.0f} a second; " + ", ".join(f"{who} {ms:.1f} ms" for who, ms in cost.items()))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    say(f"The outbox drained, {MESSAGES} referrals to {len(partners)} services, the simulator beside it")
    finish(holds("a second", rates, bound=BOUND, at_least=True))


if __name__ == "__main__":
    main()
