"""The broker says that something waits, and nothing more: who tells it, and who hears it."""

import logging
import os
import threading

from celery import shared_task
from django.conf import settings
from kombu.exceptions import OperationalError

from bars_portal.exchange import postroom

logger = logging.getLogger(__name__)


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def deliver_message(message_id: str) -> None:
    """Wake this worker's postroom, which looks for itself what there is."""
    postroom.ring()


def announce(message_id: str) -> None:
    """Wake a worker. Nobody waits for a broker behind a network: it may be frozen, and a thread tells it."""
    if settings.BROKER_IS_REMOTE:
        _crier.tell(message_id)
    else:
        _tell(message_id)


def _tell(message_id: str) -> None:
    try:
        deliver_message.delay(message_id)
    except (OperationalError, OSError):
        logger.warning("tasks: broker unreachable, the worker will find %s by itself", message_id)


class _Crier:
    """One thread that tells the broker; while it does, the newest of what else was said waits for it.

    A worker that is woken finds all that waits, so one word is enough for many messages.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._newest = ""
        self._thread: threading.Thread | None = None

    def tell(self, message_id: str) -> None:
        with self._changed:
            self._newest = message_id
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="crier", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._newest)
                message_id, self._newest = self._newest, ""
            _tell(message_id)


_crier = _Crier()


def _forget() -> None:
    """A forked child has no such thread."""
    global _crier
    _crier = _Crier()


os.register_at_fork(after_in_child=_forget)
