"""gunicorn's hooks around a worker's life: its heaps, and what becomes of one that cannot start.

gunicorn stops everything when a worker cannot start. That is right for a release that cannot start at all,
and wrong for one worker that comes back while the database or a file is away: the others still answer.
"""

import ctypes
import mmap
import os
import time

from gunicorn.workers.base import Worker

# Between two attempts of one worker.
WAIT_SECONDS = 2.0
_TRY_AGAIN = 1
# mallopt(3): parameters of malloc.h, which Python has no names for.
_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1
_HEAPS = 2
# glibc's own start value; setting it stops it from growing with the largest block that was ever freed.
_LARGE_BYTES = 131_072
# Shared by the master and all workers: whether any of them ever started.
_started = mmap.mmap(-1, 1)


def limit_heaps() -> bool:
    """Without this, bursts of large bodies treble a worker: to be called before its threads start.

    glibc keeps up to eight heaps a core and spreads the request threads over them; each keeps the holes of
    its own worst moment. So: two heaps, and large blocks returned at once. False where there is no mallopt.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    wanted = ((_ARENA_MAX, _HEAPS), (_MMAP_THRESHOLD, _LARGE_BYTES), (_TRIM_THRESHOLD, _LARGE_BYTES))
    # A list: every one is set, whatever became of the one before.
    taken = [mallopt(parameter, value) for parameter, value in wanted]
    return all(each == 1 for each in taken)


def note_started() -> None:
    """For post_worker_init."""
    _started[0] = 1


def spare_the_others(worker: Worker) -> None:
    """For worker_exit: another exit code than the ones that stop the server, once a worker has started."""
    in_the_worker = os.getpid() == worker.pid
    if in_the_worker and not worker.booted and _started[0]:
        time.sleep(WAIT_SECONDS)
        raise SystemExit(_TRY_AGAIN)
