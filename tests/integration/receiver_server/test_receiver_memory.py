"""A worker's heaps: as many as we allow, however many threads allocate (found by fuzzing)."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAM = """
import ctypes, sys
from threading import Barrier, Thread
from bars_portal.exchange.receiver.server.hooks import limit_heaps

if sys.argv[2] == "limited" and not limit_heaps():
    sys.exit(3)
together = Barrier(12)
def allocate():
    together.wait()
    kept = [bytes(2000) for _ in range(20000)]
    together.wait()
threads = [Thread(target=allocate) for _ in range(12)]
[each.start() for each in threads]
[each.join() for each in threads]
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
"""


def heaps(file: Path, how: str) -> int:
    done = subprocess.run([sys.executable, "-c", _PROGRAM, str(file), how], check=False)
    if done.returncode == 3:
        pytest.skip("this C library has no mallopt")
    assert done.returncode == 0
    return len(re.findall(r"<heap nr=", file.read_text()))


def test_twelve_threads_share_two_heaps(tmp_path: Path) -> None:
    assert heaps(tmp_path / "limited", "limited") <= 2
    assert heaps(tmp_path / "free", "free") > 2
