"""`python -m tests.chaos --fault kill-worker`: many messages through real programs, with one thing wrong.

With databases and certificates of its own, under var/chaos/. Faults that want the same around them share one
running demo, and each has ten partners of its own; what is wrong with answers alone is so at the same time.
Exit code 1 when a message was lost or doubled, or waits where nobody looks, or when the trail was sealed
too late.
"""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby

from bars_portal.demo.processes import EmbeddedPostgres, start_embedded
from tests.chaos.counting import Books, SealWatch
from tests.chaos.faults import FAULTS, Fault
from tests.chaos.strikes import Run
from tests.chaos.surroundings import NotHere
from tests.console import ROOT
from tests.fuzz.target import running_demo
from tests.stack import Stack

_FOLDER = ROOT / "var" / "chaos"
# After that whatever is not settled counts as waiting: the deadlines are longer.
_PATIENCE_SECONDS = 420.0
_HEADINGS = (
    "fault",
    "sent",
    "hit",
    "delivered once",
    "doubled",
    "lost",
    "invisible",
    "seconds to recover",
    "sealed within",
    "slowest without the fault",
)


@dataclass(frozen=True)
class Result:
    """`cells` stand under _HEADINGS; `notes` beneath the table."""

    cells: Sequence[str]
    notes: Sequence[str]
    is_good: bool


def main() -> int:
    arguments, began = _arguments(), time.monotonic()
    chosen = [name for name in FAULTS if name in (arguments.fault or FAULTS)]
    shutil.rmtree(_FOLDER, ignore_errors=True)
    server = start_embedded(_FOLDER / "postgres")
    results = []
    try:
        # The table has what belongs together side by side.
        for _, names in groupby(chosen, lambda name: FAULTS[name].around):
            for result in _results_of(list(names), server, arguments.messages):
                results.append(result)
                sys.stderr.write(_told([result]))
    finally:
        server.stop()
    sys.stdout.write(f"\n{_told(results)}{time.monotonic() - began:.0f} s in all\n")
    return 0 if all(each.is_good for each in results) else 1


def _results_of(names: list[str], server: EmbeddedPostgres, messages: int) -> Iterator[Result]:
    """Of faults that want the same around them, in one demo: one after the other, or some at once."""
    place, url = _FOLDER / names[0], server.url(f"chaos_{names[0].replace('-', '_')}")
    place.mkdir(parents=True)
    try:
        with (
            FAULTS[names[0]].around(place) as around,
            running_demo(place, url, environment=around.environment, module=around.module) as stack,
        ):
            for is_alone, batch in groupby(names, lambda name: FAULTS[name].is_alone):
                for some in [[name] for name in batch] if is_alone else [list(batch)]:
                    runs = [
                        _Running(
                            name, FAULTS[name], Run(stack, server, around, messages, *_partners(name)), url
                        )
                        for name in some
                    ]
                    yield from _run(runs, url)
                    runs[0].run.calm()
    except NotHere as lack:
        for name in names:
            yield Result([name, "skipped"], [f"{name}: {lack}"], True)


def _partners(name: str) -> tuple[list[str], list[str]]:
    """The ten of a fault, and those of them that have it."""
    ten = [f"20009{list(FAULTS).index(name):02d}{number:03d}" for number in range(10)]
    return ten, ten[: FAULTS[name].partners]


class _Running:
    """A fault whose messages are on their way; `recovered`: seconds from the last of them to no open one."""

    def __init__(self, name: str, fault: Fault, run: Run, url: str) -> None:
        self.name, self.fault, self.run = name, fault, run
        self.books = Books(url, run.partners)
        self.sent_at = 0.0
        self.recovered: float | None = None

    def send(self) -> None:
        with ThreadPoolExecutor(1) as beside:
            struck = beside.submit(self.fault.strike, self.run)
            self.fault.send(self.run)
            struck.result()
        self.sent_at = time.monotonic()

    def look(self) -> None:
        if self.sent_at and self.recovered is None and not self.books.unsettled():
            self.recovered = time.monotonic() - self.sent_at


def _run(runs: list[_Running], url: str) -> list[Result]:
    stack = runs[0].run.stack
    _route(stack, [partner for each in runs for partner in each.run.partners])
    for each in runs:
        stack.call("tests.chaos.world.open_partners", each.run.partners, each.name)
        each.fault.prepare(each.run)
    with SealWatch(url) as seals, ThreadPoolExecutor(1) as sender:
        sending = [sender.submit(each.send) for each in runs]
        while not all(each.done() for each in sending) or (
            any(each.recovered is None for each in runs)
            and time.monotonic() < runs[-1].sent_at + _PATIENCE_SECONDS
        ):
            time.sleep(0.5)
            for each in runs:
                each.look()
        for sent in sending:
            sent.result()
    return [_result(each, seals) for each in runs]


def _result(ended: _Running, seals: SealWatch) -> Result:
    name, fault, run, books = ended.name, ended.fault, ended.run, ended.books
    counts, others = books.counts(), run.partners[fault.partners :]
    hit = books.hit() + run.pressed_again
    figures = (counts.sent, hit, counts.delivered_once, counts.doubled, counts.lost, counts.invisible)
    waiting = counts.sent - counts.accepted
    cells = [
        *(name, *map(str, figures)),
        f"{waiting} still wait" if waiting or ended.recovered is None else f"{ended.recovered:.0f}",
        # An event is as old as the clock of its writer says.
        "-" if run.around.clocks else f"{seals.slowest:.0f} s",
        f"{books.slowest(others):.1f} s" if others else "-",
    ]
    notes = [f"{name}: {each}" for each in (*run.said, *books.waiting())]
    in_time = fault.seals_within is None or seals.slowest <= fault.seals_within
    if not in_time:
        notes.append(f"{name}: the trail was sealed later than {fault.seals_within:.0f} s")
    return Result(cells, notes, counts.is_good and counts.sent == run.messages and in_time)


def _route(stack: Stack, partners: list[str]) -> None:
    """The proxy finds them where it finds the hub."""
    file = stack.var / "simulator" / "catalogue.json"
    catalogue = json.loads(file.read_text())
    for routes in catalogue["NHSD-Target-Identifier"].values():
        if "2000099999" in routes:
            routes.update(dict.fromkeys(partners, routes["2000099999"]))
    unfinished = file.with_suffix(".part")
    unfinished.write_text(json.dumps(catalogue))
    unfinished.rename(file)


def _told(results: Sequence[Result]) -> str:
    lines = [list(_HEADINGS), *(list(each.cells) for each in results)]
    widths = [max(len(cell) for cell in column) for column in zip(*_filled(lines), strict=True)]
    shown = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in _filled(lines)]
    return "".join(f"{line}\n" for line in (*shown, *(note for each in results for note in each.notes)))


def _filled(lines: Sequence[list[str]]) -> list[list[str]]:
    return [[*line, *[""] * (len(_HEADINGS) - len(line))] for line in lines]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--fault", action="append", choices=list(FAULTS), help="one by name; default: all")
    parser.add_argument("--messages", type=int, default=1000)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
