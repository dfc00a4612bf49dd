"""Threads of the worker that look after what waits: they need neither the broker nor one another."""

import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Generic, Protocol, TypeVar

from django.db import DatabaseError, connection

logger = logging.getLogger(__name__)


def nothing() -> None:
    """For whoever has nothing to note."""


class Rounds:
    """One thread that makes a round every so often, and at once when somebody rings.

    `name` is the thread's, and how the log calls it. Whatever is wrong with one round, the next one comes;
    `database_away` is told of those that found no database. A connection is kept for a round only.
    """

    def __init__(
        self,
        name: str,
        make_round: Callable[[], object],
        *,
        every_seconds: float,
        database_away: Callable[[], None] = nothing,
    ) -> None:
        self._name, self._make_round, self._every = name, make_round, every_seconds
        self._database_away = database_away
        self._bell = threading.Event()
        self._held = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def ring(self) -> None:
        """There is something to do: make a round now."""
        self._bell.set()

    @property
    def is_held(self) -> bool:
        return self._held

    def hold(self) -> None:
        """Begin no round any more; one that is under way ends by itself."""
        self._held = True
        self.ring()

    def stop(self, *, patience_seconds: float) -> None:
        """And wait for that one."""
        self.hold()
        self._thread.join(patience_seconds)

    def stop_with(
        self, threads: ThreadPoolExecutor, *, patience_seconds: float, under_way: Callable[[], int]
    ) -> None:
        """And for what the rounds gave to these threads; what none of them began is left to others."""
        deadline = monotonic() + patience_seconds
        self.stop(patience_seconds=patience_seconds)
        threads.shutdown(wait=False, cancel_futures=True)
        while under_way() and monotonic() < deadline:
            self._bell.wait(0.1)
            self._bell.clear()

    def once(self) -> None:
        """One round, whatever comes of it."""
        try:
            self._make_round()
        except DatabaseError:
            logger.warning("%s: the database does not answer", self._name)
            self._database_away()
        except Exception:
            logger.exception("%s: a round failed", self._name)
        finally:
            connection.close()

    def _run(self) -> None:
        while True:
            # Before the look at whether it is held: who holds it rings after that.
            self._bell.clear()
            if self._held:
                return
            self.once()
            self._bell.wait(self._every)


class Room(Protocol):
    """What makes rounds, and perhaps has threads of its own for what they find."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


R = TypeVar("R", bound=Room)


class OfThisProcess(Generic[R]):
    """The one room of its kind in this process: only a worker opens it.

    A forked child has none of its parent's threads, and so no room.
    """

    def __init__(self) -> None:
        self.room: R | None = None
        os.register_at_fork(after_in_child=self._forget)

    def open(self, room: R) -> None:
        self.room = room
        room.start()

    def close(self) -> None:
        if self.room is not None:
            self.room.stop()

    def _forget(self) -> None:
        self.room = None
