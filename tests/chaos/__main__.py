"""`python -m tests.chaos --fault kill-worker`: many messages through real programs, with one thing wrong.

With a database and certificates of its own, under var/chaos/. Exit code 1 when a message was lost or doubled,
or waits where nobody looks, or when the audit trail was sealed too late.
"""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bars_portal.demo.database import EmbeddedPostgres, start_embedded
from tests.chaos.counting import Books, SealWatch
from tests.chaos.faults import FAULTS, Fault
from tests.chaos.strikes import Run
from tests.chaos.surroundings import NotHere
from tests.console import ROOT
from tests.fuzz.target import running_demo
from tests.stack import Stack

PARTNERS = [f"20000991{number:02d}" for number in range(10)]
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
    shutil.rmtree(_FOLDER, ignore_errors=True)
    server = start_embedded(_FOLDER / "postgres")
    results = []
    try:
        for name in arguments.fault or FAULTS:
            results.append(_result_of(name, FAULTS[name], server, arguments.messages))
            sys.stderr.write(_told(results[-1:]))
    finally:
        server.stop()
    sys.stdout.write(f"\n{_told(results)}{time.monotonic() - began:.0f} s in all\n")
    return 0 if all(each.is_good for each in results) else 1


def _result_of(name: str, fault: Fault, server: EmbeddedPostgres, messages: int) -> Result:
    place, url = _FOLDER / name, server.url(f"chaos_{name.replace('-', '_')}")
    place.mkdir(parents=True)
    try:
        with (
            fault.around(place) as around,
            running_demo(place, url, environment=around.environment, module=around.module) as stack,
        ):
            run = Run(stack, server, around, messages, PARTNERS, PARTNERS[: fault.partners])
            return _run(name, fault, run, url)
    except NotHere as lack:
        return Result([name, "skipped"], [f"{name}: {lack}"], True)


def _run(name: str, fault: Fault, run: Run, url: str) -> Result:
    books = Books(url, PARTNERS)
    _route(run.stack)
    run.stack.call("tests.chaos.world.open_partners", PARTNERS)
    fault.prepare(run)
    with SealWatch(url) as seals, ThreadPoolExecutor(1) as beside:
        struck = beside.submit(fault.strike, run)
        fault.send(run)
        struck.result()
        began = time.monotonic()
        while books.unsettled() and time.monotonic() < began + _PATIENCE_SECONDS:
            time.sleep(0.5)
        recovered = time.monotonic() - began
    counts, others = books.counts(), PARTNERS[fault.partners :]
    figures = (counts.sent, books.hit(), counts.delivered_once, counts.doubled, counts.lost, counts.invisible)
    waiting = counts.sent - counts.accepted
    cells = [
        *(name, *map(str, figures)),
        f"{waiting} still wait" if waiting else f"{recovered:.0f}",
        # An event is as old as the clock of its writer says.
        "-" if run.around.clocks else f"{seals.slowest:.0f} s",
        f"{books.slowest(others):.1f} s" if others else "-",
    ]
    notes = [f"{name}: {each}" for each in (*run.said, *books.waiting())]
    in_time = fault.seals_within is None or seals.slowest <= fault.seals_within
    if not in_time:
        notes.append(f"{name}: the trail was sealed later than {fault.seals_within:.0f} s")
    return Result(cells, notes, counts.is_good and counts.sent == run.messages and in_time)


def _route(stack: Stack) -> None:
    """The proxy finds the ten where it finds the hub."""
    file = stack.var / "simulator" / "catalogue.json"
    catalogue = json.loads(file.read_text())
    for routes in catalogue["NHSD-Target-Identifier"].values():
        if "2000099999" in routes:
            routes.update(dict.fromkeys(PARTNERS, routes["2000099999"]))
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
