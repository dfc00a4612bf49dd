"""Python's cycle collector, which goes through all objects again and again while a catalogue is read."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collector() -> Iterator[None]:
    """Not while a catalogue is read and compared: it makes no cycles, and takes half the time without.

    It is off for the whole process; that another thread switches it on early costs time, and nothing else.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
