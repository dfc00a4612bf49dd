"""`python -m tests.chaos.own_clocks`: the demo, each of its programs with a clock that can be set by a file.

The monotonic clock stays as it is, as it does when a real clock jumps; and so do launcher and database.
"""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from bars_portal.demo import __main__ as demo
from bars_portal.demo.processes import Program
from bars_portal.demo.processes import programs as own_programs
from tests.chaos.surroundings import set_clock

# libfaketime takes a sleep until a moment of the monotonic clock for one of the faked clock, and refuses it.
_SLEEP = """import select
import time
time.sleep = lambda seconds: select.select([], [], [], seconds) and None
"""


def programs(*given: Any) -> dict[str, Program]:
    folder, library = Path(os.environ["CHAOS_CLOCKS"]), os.environ["CHAOS_FAKETIME"]
    return {
        name: replace(program, environment={**program.environment, **_faked(folder, library, name)})
        for name, program in own_programs(*given).items()
    }


def _faked(folder: Path, library: str, name: str) -> dict[str, str]:
    set_clock(folder, name, 0)
    (folder / "sitecustomize.py").write_text(_SLEEP)
    return {
        "LD_PRELOAD": library,
        "PYTHONPATH": str(folder),
        "FAKETIME_TIMESTAMP_FILE": str(folder / name),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
        # Else a thread that waits for its interpreter is woken at once, always: fifteen of them leave the
        # processor nothing to send with.
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
    }


if __name__ == "__main__":
    demo.programs = programs  # type: ignore[assignment, attr-defined]  # as the launcher has it
    sys.exit(demo.main())
