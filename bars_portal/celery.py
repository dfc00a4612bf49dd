"""The Celery application of the worker and of everyone who announces work to it; and the demo's broker."""

import os
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

from celery import Celery
from celery.signals import worker_ready
from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils import json

TRANSPORT_ALIASES["filesystem"] = "bars_portal.celery:FileTransport"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bars_portal.settings.production")

app = Celery("bars_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _first_heartbeat(**_: object) -> None:
    """Beat's first one comes after its interval; readiness need not wait for that."""
    from bars_portal.exchange.tasks import heartbeat

    heartbeat()


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
