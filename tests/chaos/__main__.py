"""`python -m tests.chaos --fault kill-worker`: many messages through real programs, with one thing wrong.

With a database and certificates of its own, under var/chaos/. Exit code 1 when a message was lost or doubled,
or waits where nobody looks.
"""

import argparse
import json
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from bars_portal.demo.database import start_embedded
from tests.chaos.counting import Books
from tests.chaos.faults import FAULTS, Fault, Run
from tests.console import ROOT
from tests.fuzz.target import running_demo
from tests.stack import Stack

PARTNERS = [f"20000991{number:02d}" for number in range(10)]
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
    "slowest without the fault",
)


def main() -> int:
    arguments = _arguments()
    folder = ROOT / "var" / "chaos"
    shutil.rmtree(folder, ignore_errors=True)
    server = start_embedded(folder / "postgres")
    rows, good = [], True
    try:
        for number, name in enumerate(arguments.fault or FAULTS):
            place = folder / name
            place.mkdir(parents=True)
            url = server.url(f"chaos{number}")
            with running_demo(place, url) as stack:
                row, is_good = _run(stack, url, name, FAULTS[name], arguments.messages)
            rows.append(row)
            good = good and is_good
    finally:
        server.stop()
    sys.stdout.write(_table(rows))
    return 0 if good else 1


def _run(stack: Stack, url: str, name: str, fault: Fault, messages: int) -> tuple[list[str], bool]:
    run, books = Run(stack, PARTNERS, PARTNERS[: fault.partners]), Books(url, PARTNERS)
    _route(stack)
    stack.call("tests.chaos.world.open_partners", PARTNERS)
    fault.prepare(run)
    with ThreadPoolExecutor(1) as beside:
        struck = beside.submit(fault.strike, run)
        stack.call("tests.chaos.world.send", PARTNERS, messages)
        struck.result()
    began = time.monotonic()
    while books.unsettled() and time.monotonic() < began + _PATIENCE_SECONDS:
        time.sleep(0.5)
    recovered = time.monotonic() - began
    counts = books.counts()
    others = PARTNERS[fault.partners :]
    row = [
        name,
        *map(str, (counts.sent, books.hit(), counts.delivered_once, counts.doubled, counts.lost)),
        str(counts.invisible),
        f"{recovered:.0f}" if not books.unsettled() else f"{counts.sent - counts.delivered_once} still wait",
        f"{books.slowest(others):.1f} s" if others else "-",
    ]
    return row, counts.is_good and counts.sent == messages


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


def _table(rows: list[list[str]]) -> str:
    lines = [list(_HEADINGS), *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(_HEADINGS))]
    shown = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "".join(f"{line.rstrip()}\n" for line in shown)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--fault", action="append", choices=list(FAULTS), help="one by name; default: all")
    parser.add_argument("--messages", type=int, default=1000)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
