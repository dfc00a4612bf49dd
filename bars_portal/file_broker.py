"""The demo's broker: kombu's files in a folder, but a message appears there whole or not at all.

Kombu's own writer makes the file first and fills it then; a worker that looks in between reads half a
message, and stops for good.
"""

from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils import json


class Channel(filesystem.Channel):
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


class Transport(filesystem.Transport):
    Channel = Channel
