"""Starting the receiver's TLS server in a process of its own, and speaking to it."""

import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from bars_portal.credentials.local_pki import PkiFiles

ROOT = Path(__file__).resolve().parents[3]
# A line of a log that does not come; costs time only where a test fails.
LINE_SECONDS = 20.0
APPLICATION = "tests.integration.receiver_server.counting_app:application"


@dataclass(frozen=True)
class Receiver:
    """A running server, with its process, port, certificates, log and the application's count."""

    process: "subprocess.Popen[bytes]"
    port: int
    pki: PkiFiles
    folder: Path
    # What each worker says when it is up.
    ready: ClassVar[str] = "Worker ready"

    @property
    def count(self) -> int:
        """How many requests the application has seen."""
        counter = self.folder / "count"
        return len(counter.read_text()) if counter.exists() else 0

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def logs(self, text: str) -> bool:
        """Whether the line comes; it may be written a moment after the answer has arrived."""
        deadline = time.monotonic() + LINE_SECONDS
        while text not in self.log and time.monotonic() < deadline:
            time.sleep(0.02)
        return text in self.log

    def context(self, name: str | None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.pki.ca_chain))
        if name:
            context.load_cert_chain(self.pki.certificate(name), self.pki.key(name))
        return context

    def connect(self, name: str | None = "proxy-client") -> http.client.HTTPConnection:
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=self.context(name))

    def open(self) -> socket.socket:
        """A connection that has been let in."""
        return self.context("proxy-client").wrap_socket(self.plain(), server_hostname="localhost")

    def ask(self, path: str = "/", *, name: str | None = "proxy-client", body: bytes | None = None) -> Any:
        """The application's JSON answer over a connection of its own."""
        connection = self.connect(name)
        with contextlib.closing(connection):
            return exchange(connection, path, body=body)

    def plain(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def has_processes(self) -> bool:
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return False
        return True


class Plain(Receiver):
    """The same without TLS."""

    ready: ClassVar[str] = "Booting worker"

    def connect(self, name: str | None = None) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def open(self) -> socket.socket:
        return self.plain()


AnyReceiver = TypeVar("AnyReceiver", bound=Receiver)


def exchange(connection: http.client.HTTPConnection, path: str = "/", *, body: bytes | None = None) -> Any:
    connection.request("POST" if body else "GET", path, body=body)
    response = connection.getresponse()
    assert response.status == 200
    return json.loads(response.read())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(pki: PkiFiles, port: int, folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "COUNT_FILE": str(folder / "count"),
        "RECEIVER_PORT": str(port),
        "RECEIVER_CERT_FILE": str(pki.certificate("receiver")),
        "RECEIVER_KEY_FILE": str(pki.key("receiver")),
        "RECEIVER_CA_FILE": str(pki.ca_chain),
        "RECEIVER_THREADS": "4",
        "RECEIVER_WORKERS": "2",
    }


@contextlib.contextmanager
def running(pki: PkiFiles, folder: Path, extra: Mapping[str, str] | None = None) -> Iterator[Receiver]:
    """The server with its workers; everything it started is gone at the end."""
    port = free_port()
    settings = environment(pki, port, folder) | dict(extra or {})
    command = ["bars_portal.exchange.receiver.server", APPLICATION]
    with started(command, settings, Receiver, port, pki, folder) as receiver:
        yield receiver


@contextlib.contextmanager
def running_portal(pki: PkiFiles, folder: Path, extra: Mapping[str, str] | None = None) -> Iterator["Plain"]:
    """The portal's own server, without TLS, over the same application."""
    port = free_port()
    settings = environment(pki, port, folder) | {
        "PORTAL_BIND": f"127.0.0.1:{port}",
        "PORTAL_THREADS": "4",
        **(extra or {}),
    }
    command = ["gunicorn", "-c", str(ROOT / "deploy" / "gunicorn_portal.py"), APPLICATION]
    with started(command, settings, Plain, port, pki, folder) as portal:
        yield portal


@contextlib.contextmanager
def started(
    command: list[str],
    settings: Mapping[str, str],
    kind: type[AnyReceiver],
    port: int,
    pki: PkiFiles,
    folder: Path,
) -> Iterator[AnyReceiver]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=folder,
            env=dict(settings),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    server = kind(process, port, pki, folder)
    try:
        wait_until_up(server, workers=2 if kind is Plain else int(settings["RECEIVER_WORKERS"]))
        yield server
    finally:
        stop(server)


def wait_until_up(receiver: Receiver, workers: int) -> None:
    """All of them: one that is being started hears no signal yet."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and receiver.process.poll() is None:
        if receiver.log.count(receiver.ready) >= workers:
            receiver.ask()
            return
        time.sleep(0.05)
    raise AssertionError(f"the receiver did not start:\n{receiver.log}")


def stop(receiver: Receiver) -> None:
    if receiver.process.poll() is None:
        receiver.process.terminate()
    try:
        receiver.process.wait(timeout=15)
    finally:
        if receiver.has_processes():
            os.killpg(receiver.process.pid, signal.SIGKILL)
