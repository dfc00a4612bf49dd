"""One run: the barrage and schemathesis at the same time, watched, for as long as it is told."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Event, Thread

from tests.fuzz.arsenal import barrage
from tests.fuzz.described import Budget, door_of, fuzz_described
from tests.fuzz.judging import breaches
from tests.fuzz.mutations import Tree
from tests.fuzz.report import FEWEST_SAMPLES, Report
from tests.fuzz.seeds import seed_messages
from tests.fuzz.target import Target, target_of
from tests.fuzz.watching import Before, still_answers, watch
from tests.fuzz.wire import fire
from tests.stack import Stack

_GUNS = 4
Job = Callable[[], None]


def fuzz(
    stack: Stack, *, folder: Path, seconds: int, budget: Budget, seed: int, shared: Path | None
) -> Report:
    """Both kinds of fuzzing at a running receiver, `budget` being that of schemathesis."""
    report, target = Report(folder, long=seconds >= FEWEST_SAMPLES), target_of(stack)
    seeds = seed_messages(stack, shared)
    jobs = [_gun(target, report, seed + number, seeds, seconds) for number in range(_GUNS)]
    folder.mkdir(parents=True, exist_ok=True)
    stack.manage("describe_receiver", "--output", str(folder / "openapi.json"))
    described = partial(
        fuzz_described, folder / "openapi.json", door_of(stack), report, budget=budget, seed=seed
    )
    with watched(target, report):
        run_all([*jobs, described])
        still_answers(target, report)
    return report


@contextmanager
def watched(target: Target, report: Report) -> Iterator[None]:
    over = Event()
    watcher = Thread(target=watch, args=(target, report, Before.of(target), over))
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def shoot(target: Target, report: Report, *, seed: int, seeds: list[Tree], seconds: float) -> None:
    """One gun: shots of the seed's sequence, one after the other, until the time is over."""
    end = time.monotonic() + seconds
    for number, shot in enumerate(barrage(seed, seeds)):
        if time.monotonic() > end:
            return
        answer = fire(target, shot)
        report.count(shot.kind, answer)
        for sentence in breaches(shot, answer):
            report.blame(sentence, shot=shot, origin=f"seed {seed}, shot {number}")


def run_all(jobs: list[Job]) -> None:
    """At the same time; raises what any of them raised."""
    with ThreadPoolExecutor(len(jobs)) as pool:
        waiting: list[Future[None]] = [pool.submit(job) for job in jobs]
    for each in waiting:
        each.result()


def _gun(target: Target, report: Report, seed: int, seeds: list[Tree], seconds: float) -> Job:
    return partial(shoot, target, report, seed=seed, seeds=seeds, seconds=seconds)
