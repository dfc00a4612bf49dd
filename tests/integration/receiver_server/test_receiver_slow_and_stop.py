"""Slow requests of admitted clients, and stopping: each with a server of its own."""

import contextlib
import signal
import time
from collections.abc import Iterator

import pytest

from bars_portal.credentials.local_pki import PkiFiles
from tests.integration.receiver_server.running import Receiver, exchange, running


@pytest.fixture
def impatient(pki: PkiFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    worker = "tests.integration.receiver_server.counting_app.ImpatientWorker"
    extra = {"RECEIVER_WORKERS": "1", "GUNICORN_CMD_ARGS": f"--worker-class {worker}"}
    with running(pki, tmp_path_factory.mktemp("impatient"), extra) as server:
        yield server


SLOW_HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
SLOW_BODY = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n"


def test_slow_requests_give_their_threads_back(impatient: Receiver) -> None:
    with contextlib.ExitStack() as stack:
        slow = []
        for start in (SLOW_HEAD, SLOW_BODY) * 4:
            connection = stack.enter_context(contextlib.closing(impatient.connect()))
            connection.connect()
            assert connection.sock is not None
            connection.sock.sendall(start)
            slow.append(connection.sock)
        began = time.monotonic()
        while time.monotonic() - began < 1.5:
            # Always a byte within any timeout per read.
            for sock in slow:
                with contextlib.suppress(OSError):
                    sock.sendall(b"a")
            time.sleep(0.2)
        impatient.ask()
        assert time.monotonic() - began < 4, "8 slow clients, 4 threads, 1 s each"
    assert impatient.logs("closed: too slow")
    assert "Traceback" not in impatient.log


def test_sigterm_stops_everything_soon(pki: PkiFiles, tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(pki, tmp_path_factory.mktemp("stopped")) as receiver, contextlib.ExitStack() as stack:
        kept = stack.enter_context(contextlib.closing(receiver.connect()))
        exchange(kept)
        stack.enter_context(contextlib.closing(receiver.connect())).connect()
        stack.enter_context(receiver.plain())
        began = time.monotonic()
        receiver.process.send_signal(signal.SIGTERM)
        assert receiver.process.wait(timeout=10) == 0
        assert time.monotonic() - began < 6
        assert not receiver.has_processes()
        # No control socket, no pid file: only what this test itself put there.
        assert {path.name for path in receiver.folder.iterdir()} == {"count", "log"}
