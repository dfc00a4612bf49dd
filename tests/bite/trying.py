"""One fault at a time in a copy of the checkout: put it in, run the tests that should notice, take it out."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path
from queue import SimpleQueue
from time import monotonic

from tests.bite.table import Fault

# Not tracked, and needed by pages and their tests.
_LINKED = ("node_modules", "static/build")
# Where tests of the checkout look for it: beside a copy there is none, and what reads it would be skipped.
_SHARED = Path(__file__).resolve().parents[3] / "shared"
_NOTICED = re.compile(r"^FAILED (\S+)", re.MULTILINE)
_OPTIONS = ("-x", "-n", "0", "-rf", "--tb=line", "-p", "no:cacheprovider")
# What fails because the machine is busy has noticed nothing.
_TOO_SLOW = "FailedHealthCheck"
# A fault may make a test wait for what never comes: then the run ends here, and nothing was caught.
_SECONDS = 180
_SECONDS_UNCHANGED = 900


@dataclass(frozen=True)
class Run:
    """`noticed`: the test that failed. `problem`: why the run says nothing of the code; "" when it does."""

    noticed: str
    problem: str
    seconds: float


@dataclass
class Copy:
    """A folder with the tracked files of the checkout, and a database that lasts from run to run."""

    folder: Path
    database: str = ""
    was_cut_off: bool = False

    def run(self, tests: Sequence[str], *, seconds: float = _SECONDS) -> Run:
        """Only a failing test counts as noticing: not one that could not be collected, found or set up."""
        started = monotonic()
        command = [sys.executable, "-m", "pytest", *_OPTIONS, *tests]
        if self.database:
            command += ["--reuse-db", "--create-db"] if self.was_cut_off else ["--reuse-db"]
        own = {"DATABASE_URL": self.database} if self.database else {}
        environment = {"BARS_SHARED_DIR": str(_SHARED), **os.environ, **own}
        self.was_cut_off = False
        try:
            done = subprocess.run(
                command, cwd=self.folder, env=environment, timeout=seconds, capture_output=True, text=True
            )
        except subprocess.TimeoutExpired:
            # What it left in the database is not known.
            self.was_cut_off = True
            return Run("", f"no end within {seconds:.0f} s", monotonic() - started)
        took, noticed = monotonic() - started, _NOTICED.search(done.stdout)
        if done.returncode == 1 and noticed and _TOO_SLOW not in done.stdout:
            return Run(noticed[1], "", took)
        if done.returncode == 0 and " passed" in done.stdout:
            return Run("", "", took)
        last = (done.stderr or done.stdout).strip().splitlines()[-12:]
        return Run("", "\n".join([f"pytest ended with {done.returncode}", *last]), took)

    @contextmanager
    def changed(self, file: Path, fault: Fault) -> Iterator[None]:
        """The fault is in the copy for as long as this lasts."""
        path = self.folder / file
        original = path.read_text()
        _write(path, original.replace(fault.find, fault.replace))
        try:
            yield
        finally:
            _write(path, original)


def copy_checkout(root: Path, folder: Path) -> None:
    """Tracked files as they are now, committed or not; the checkout itself is never changed."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True)
    shutil.rmtree(folder, ignore_errors=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, folder / name)
    for name in _LINKED:
        if (root / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).symlink_to((root / name).resolve())


def _write(path: Path, text: str) -> None:
    """Without what was compiled of it: Python tells versions apart by size and second only."""
    path.write_text(text)
    if path.suffix == ".py":
        Path(cache_from_source(str(path))).unlink(missing_ok=True)


def run_unchanged(copies: Sequence[Copy], faults: Sequence[Fault]) -> list[Run]:
    """Every test that the faults name, once, shared out over the copies."""
    named = dict.fromkeys(test for fault in faults for test in fault.tests)
    # A file that is run whole has its single tests already.
    once = [each for each in named if each.partition("::")[0] == each or each.partition("::")[0] not in named]
    shares = [once[number :: len(copies)] for number in range(len(copies))]
    with ThreadPoolExecutor(len(copies)) as pool:
        pairs = [(copy, share) for copy, share in zip(copies, shares, strict=True) if share]
        return list(pool.map(lambda pair: pair[0].run(pair[1], seconds=_SECONDS_UNCHANGED), pairs))


def run_faults(
    copies: Sequence[Copy], places: dict[Fault, Path], report: Callable[[Fault, Run], None]
) -> None:
    """Each fault in whichever copy is free; `report` is told in the order in which they end."""
    free: SimpleQueue[Copy] = SimpleQueue()
    for each in copies:
        free.put(each)

    def run(fault: Fault) -> Run:
        copy = free.get()
        try:
            with copy.changed(places[fault], fault):
                return copy.run(fault.tests)
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as pool:
        running = {pool.submit(run, fault): fault for fault in places}
        for done in as_completed(running):
            report(running[done], done.result())
