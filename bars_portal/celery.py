"""The Celery application of the worker and of everyone who announces work to it; and the demo's broker."""

import logging
import os
import threading
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

from celery import Celery, bootsteps
from celery.signals import (
    before_task_publish,
    task_postrun,
    task_prerun,
    worker_init,
    worker_shutting_down,
)
from django.conf import settings
from django.utils import timezone
from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils import json

from bars_portal import correlation
from bars_portal.logging import take_over_printing
from bars_portal.metrics.serving import serve
from bars_portal.tracing import carry, set_up, span

TRANSPORT_ALIASES["filesystem"] = "bars_portal.celery:FileTransport"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bars_portal.settings.production")

logger = logging.getLogger(__name__)
app = Celery("bars_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


# Beside Celery's own correlation id, which is that of the task.
_HEADER = "bars_correlation_id"
# The span of the task that a thread runs.
_spans = threading.local()


@before_task_publish.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _send_along(headers: dict[str, Any] | None = None, **_: object) -> None:
    if headers is not None and correlation.current():
        headers[_HEADER] = correlation.current()
        carry(headers)


@task_prerun.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _take_up(task_id: str = "", task: Any = None, **_: object) -> None:
    """A task that nobody's page asked for goes by its own id."""
    headers = task.request.headers or {}
    correlation.begin(task.request.get(_HEADER) or headers.get(_HEADER) or task_id)
    opened = span("task", carried=headers, task=task.name)
    opened.__enter__()
    _spans.opened = opened


@task_postrun.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _put_down(**_: object) -> None:
    _spans.opened.__exit__(None, None, None)
    correlation.forget()


@worker_init.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _begin_worker(**_: object) -> None:
    take_over_printing()
    set_up("worker", endpoint=settings.TRACES_ENDPOINT)


class OwnClocksStep(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """Postroom, webhooks and sealer: begun before the first word with the broker, if there is one at all."""

    requires = ("celery.worker.components:Pool",)

    def start(self, worker: object) -> None:
        from bars_portal.api.webhooks.rounds import WebhookRoom, webhook_room
        from bars_portal.audit.chain.heads import Sealing, sealing
        from bars_portal.exchange.postroom import open_postroom
        from bars_portal.status.collector import DatabaseCollector

        open_postroom()
        webhook_room.open(WebhookRoom())
        serve("worker", DatabaseCollector(timezone.now))
        sealing.open(Sealing())

    def stop(self, worker: object) -> None:
        from bars_portal.api.webhooks.rounds import webhook_room
        from bars_portal.audit.chain.heads import sealing
        from bars_portal.exchange.postroom import postroom

        postroom.close()
        webhook_room.close()
        # Last: what was settled meanwhile is sealed, and a round takes milliseconds.
        sealing.close()


app.steps["worker"].add(OwnClocksStep)


# What Celery has to end by itself once everything under way is settled.
_CELERY_ENDS_SECONDS = 5.0


@worker_shutting_down.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _end_in_time(**_: object) -> None:
    """At once: the step above is stopped last, and never while Celery waits for a broker that is frozen."""
    from bars_portal.exchange.postroom import hold_postroom

    hold_postroom()
    threading.Thread(target=_end, name="end", daemon=True).start()


def _end() -> None:
    """What is cut short is done at the next turn: Celery's own tasks are housekeeping, and a round is one
    transaction. Meanwhile the trail is sealed.
    """
    from bars_portal.exchange.postroom import postroom

    postroom.close()
    sleep(_CELERY_ENDS_SECONDS)
    logger.warning("celery: it does not end by itself, is the broker frozen? Nothing is under way: ended")
    os._exit(0)


class FileChannel(filesystem.Channel):
    """The demo's broker: kombu's files in a folder, but a message appears there whole or not at all.

    Kombu's own writer makes the file first and fills it then; a worker that looks in between reads half a
    message, and stops for good.
    """

    def _put(self, queue: str, payload: Any, **_: Any) -> None:  # type: ignore[override]  # kombu's bases differ
        """Under a name that no reader looks for, then renamed. Raises ChannelError."""
        folder = Path(self.data_folder_out)
        file = folder / f"{round(monotonic() * 1000)}_{uuid4()}.{queue}.msg"
        unfinished = file.with_name(f"{file.name}.part")
        text: str = json.dumps(payload)  # type: ignore[no-untyped-call]  # kombu has few types
        try:
            unfinished.write_text(text, encoding="utf-8")
            unfinished.rename(file)
        except OSError as error:
            raise ChannelError(f"Cannot add a message to {folder}") from error


class FileTransport(filesystem.Transport):
    Channel = FileChannel
