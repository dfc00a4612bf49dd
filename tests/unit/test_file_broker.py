"""A worker that looks while messages are being written reads each of them whole."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from celery import Celery
from kombu.connection import Connection

from bars_portal.celery import FileChannel, FileTransport

EACH, WRITERS = 60, 3


@pytest.fixture
def options(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "messages"
    folder.mkdir()
    return {
        "data_folder_in": str(folder),
        "data_folder_out": str(folder),
        "control_folder": str(tmp_path / "control"),
    }


def test_no_reader_sees_half_a_message(options: dict[str, str]) -> None:
    opened: Any = Connection  # kombu has few types
    with opened("filesystem://", transport=FileTransport, transport_options=options) as connection:
        channel: Any = connection.channel()
        assert channel.__class__ is FileChannel

        def write(writer: int) -> None:
            for number in range(EACH):
                channel._put("celery", {"writer": writer, "number": number, "body": "x" * 5000})

        with ThreadPoolExecutor(WRITERS) as threads:
            writing = [threads.submit(write, writer) for writer in range(WRITERS)]
            found: list[tuple[int, int]] = []
            while len(found) < EACH * WRITERS:
                try:
                    message = channel._get("celery")  # type: ignore[no-untyped-call]  # kombu has few types
                except Empty:
                    continue
                found.append((message["writer"], message["number"]))
        assert [each.result() for each in writing] == [None] * WRITERS
    assert sorted(found) == [(writer, number) for writer in range(WRITERS) for number in range(EACH)]


def test_celery_takes_it_for_folders(options: dict[str, str]) -> None:
    app = Celery(broker="filesystem://", set_as_current=False)
    app.conf.broker_transport_options = options
    with app.connection_for_write() as connection:
        assert isinstance(connection.transport, FileTransport)
