"""`python -m tests.fuzz --seconds 600`: fuzz receiver and API, with a database and certificates of their own.

Everything is under var/fuzz/; exit code 1 when anything was breached.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

from bars_portal.demo.processes import start_embedded
from tests.console import ROOT
from tests.fuzz.api import ALL_SCOPES, ONE_SCOPE, fuzz_api
from tests.fuzz.described import Budget
from tests.fuzz.report import Report
from tests.fuzz.running import fuzz
from tests.fuzz.target import running_demo
from tests.stack import Stack

_DATABASE = "fuzz"


def main() -> int:
    arguments = _arguments()
    folder = ROOT / "var" / "fuzz"
    shutil.rmtree(folder, ignore_errors=True)
    server = start_embedded(folder / "postgres")
    try:
        with running_demo(folder, server.url(_DATABASE)) as stack:
            report = Report(folder / "breaches")
            if arguments.at != "api":
                report = fuzz(
                    stack,
                    folder=folder / "breaches",
                    seconds=arguments.seconds,
                    budget=Budget(seconds=arguments.seconds),
                    seed=arguments.seed,
                    shared=_shared_examples(),
                )
            if arguments.at != "receiver":
                _fuzz_api(stack, report, folder, arguments)
    finally:
        server.stop()
    sys.stdout.write("\n".join(report.lines()) + "\n")
    return 1 if report.breaches else 0


def _fuzz_api(stack: Stack, report: Report, folder: Path, arguments: argparse.Namespace) -> None:
    """As an application with all scopes, and for a third of the time as one that may only read bookings."""
    for name, scope, part in (("api", ALL_SCOPES, 1), ("api-one-scope", ONE_SCOPE, 3)):
        seconds = max(1, arguments.seconds // part)
        fuzz_api(stack, report, folder=folder / name, seconds=seconds, seed=arguments.seed, scope=scope)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--at", choices=["all", "receiver", "api"], default="all")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _shared_examples() -> Path | None:
    """Published examples are more seeds, where they are at hand."""
    folder = Path(os.environ.get("BARS_SHARED_DIR", ROOT.parent / "shared"))
    return folder if (folder / "fhir" / "examples").is_dir() else None


if __name__ == "__main__":
    sys.exit(main())
