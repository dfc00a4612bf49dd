"""`python -m tests.bite`: small deliberate faults, each of which the tests must notice.

A suite that passes says nothing of what it would miss; this does. Everything is under var/bite/; exit code 1
when a fault was not noticed, or a row of the table fits the code no more.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path
from time import monotonic

from bars_portal.demo.processes import EmbeddedPostgres, start_embedded
from tests.bite.table import BadTable, Fault, places, read_table
from tests.bite.trying import Copy, Run, copy_checkout, run_faults, run_unchanged
from tests.databases import hurry

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "var" / "bite"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bite")
    parser.add_argument("--only", default="", help="only faults with this text in any of their cells")
    only = parser.parse_args().only
    try:
        found = places(ROOT, read_table())
    except BadTable as error:
        _say(f"The table does not fit the code:\n{error}")
        return 1
    wanted = {fault: file for fault, file in found.items() if fault.holds(only)}
    if not wanted:
        _say(f"No fault has {only!r} in it.")
        return 1
    shutil.rmtree(FOLDER, ignore_errors=True)
    server = start_embedded(FOLDER / "postgres")
    hurry(server)
    try:
        return _try(wanted, _copies(server, most=len(wanted)))
    finally:
        server.stop()


def _copies(server: EmbeddedPostgres, *, most: int) -> list[Copy]:
    """One a core, two at the most: more would wait for the same disk."""
    names = ["one", "two"][: min(most, os.cpu_count() or 1)]
    for name in names:
        copy_checkout(ROOT, FOLDER / name)
    return [Copy(FOLDER / name, server.url(f"bite_{name}")) for name in names]


def _try(wanted: dict[Fault, Path], copies: list[Copy]) -> int:
    started = monotonic()
    for run in run_unchanged(copies, list(wanted)):
        if run.noticed or run.problem:
            _say(f"The unchanged code does not pass: {run.noticed}{run.problem}")
            return 1
    _say(
        f"The unchanged code passes ({monotonic() - started:.0f} s). Now {len(wanted)} faults, one at a time."
    )
    missed: list[Fault] = []

    def report(fault: Fault, run: Run) -> None:
        if not run.noticed:
            missed.append(fault)
        verdict = f"by {run.noticed}" if run.noticed else f"NOT CAUGHT {run.problem}"
        _say(f"{fault.kind:12} {fault.why} [{run.seconds:.1f} s] {verdict}")

    run_faults(copies, wanted, report)
    _say(f"{len(wanted) - len(missed)} of {len(wanted)} caught in {monotonic() - started:.0f} s.")
    for fault in missed:
        _say(f"Not caught: {fault.why} ({wanted[fault]}): {fault.find} -> {fault.replace}")
    return 1 if missed else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
