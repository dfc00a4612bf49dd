"""What a worker gives back of its memory: without this, bursts of large bodies treble its size.

glibc keeps up to eight heaps a core and spreads the request threads over them; each keeps the holes of its
own worst moment. So: two heaps, and large blocks returned at once.
"""

import ctypes

# mallopt(3): parameters of malloc.h, which Python has no names for.
_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1
_HEAPS = 2
# glibc's own start value; setting it stops it from growing with the largest block that was ever freed.
_LARGE_BYTES = 131_072


def limit_heaps() -> bool:
    """For this process, before its threads start. False where the C library has no such settings."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    wanted = ((_ARENA_MAX, _HEAPS), (_MMAP_THRESHOLD, _LARGE_BYTES), (_TRIM_THRESHOLD, _LARGE_BYTES))
    # A list: every one is set, whatever became of the one before.
    taken = [mallopt(parameter, value) for parameter, value in wanted]
    return all(each == 1 for each in taken)
