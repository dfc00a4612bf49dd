"""`python -m tests.fuzz --seconds 600`: fuzz the receiver, with a database and certificates of its own.

Everything is under var/fuzz/; exit code 1 when anything was breached.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

from bars_portal.demo.database import start_embedded
from tests.console import ROOT
from tests.fuzz.described import Budget
from tests.fuzz.running import fuzz
from tests.fuzz.target import running_demo

_DATABASE = "fuzz"


def main() -> int:
    arguments = _arguments()
    folder = ROOT / "var" / "fuzz"
    shutil.rmtree(folder, ignore_errors=True)
    server = start_embedded(folder / "postgres")
    try:
        with running_demo(folder, server.url(_DATABASE)) as stack:
            report = fuzz(
                stack,
                folder=folder / "breaches",
                seconds=arguments.seconds,
                budget=Budget(seconds=arguments.seconds),
                seed=arguments.seed,
                shared=_shared_examples(),
            )
    finally:
        server.stop()
    sys.stdout.write("\n".join(report.lines()) + "\n")
    return 1 if report.breaches else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _shared_examples() -> Path | None:
    """Published examples are more seeds, where they are at hand."""
    folder = Path(os.environ.get("BARS_SHARED_DIR", ROOT.parent / "shared"))
    return folder if (folder / "fhir" / "examples").is_dir() else None


if __name__ == "__main__":
    sys.exit(main())
