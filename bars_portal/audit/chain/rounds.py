"""The trail's own clock: a thread of the worker that seals every few seconds and signs a head every hour.

It needs neither the broker nor a thread of those who send. Several may run: one at a time seals.
"""

import logging
import os
import threading
from dataclasses import dataclass
from time import monotonic

from django.db import DatabaseError, connection

from bars_portal.audit.chain import heads, sealer, signing
from bars_portal.sql import database_time

SEALS_EVERY_SECONDS = 5.0
SIGNS_EVERY_SECONDS = 3600.0
# A folder that was full or away is tried again so soon.
_SIGNS_AGAIN_SECONDS = 60.0
# A round that is in the middle of a batch ends by itself; the next sealer goes on after it.
_PATIENCE_SECONDS = 5.0

logger = logging.getLogger(__name__)


@dataclass
class Rounds:
    """One thread. By the database's clock, so that a clock of ours that jumps dates no seal."""

    seals_every: float = SEALS_EVERY_SECONDS
    signs_every: float = SIGNS_EVERY_SECONDS

    def __post_init__(self) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sealer", daemon=True)
        # The first head at the start: a worker may never live for a full hour.
        self._signs_at = monotonic()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(_PATIENCE_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._round()
            self._stopping.wait(self.seals_every)

    def _round(self) -> None:
        try:
            sealer.seal_trail(now=database_time())
            self._sign()
        except DatabaseError:
            logger.warning("rounds: the database does not answer, nothing is sealed")
        except Exception:
            # Whatever is wrong with one round, the next one comes.
            logger.exception("rounds: a round failed")
        finally:
            connection.close()

    def _sign(self) -> None:
        """Where a key and a folder are set: production refuses to start a worker without."""
        place = heads.folder()
        if place is None or not signing.can_sign() or monotonic() < self._signs_at:
            return
        self._signs_at = monotonic() + min(_SIGNS_AGAIN_SECONDS, self.signs_every)
        heads.export_head(place, now=database_time())
        self._signs_at = monotonic() + self.signs_every


# -- the one of this process: only a worker has it

_rounds: Rounds | None = None


def begin_rounds() -> None:
    global _rounds
    _rounds = Rounds()
    _rounds.start()


def end_rounds() -> None:
    if _rounds is not None:
        _rounds.stop()


def _forget() -> None:
    """A forked child has none of its parent's threads."""
    global _rounds
    _rounds = None


os.register_at_fork(after_in_child=_forget)
