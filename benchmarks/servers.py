"""Real receiver processes on loopback, and keep-alive connections to them."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from calling import FHIR_JSON, MESSAGE, Answer, headers
from stage import ROOT, environment

from bars_portal.credentials.local_pki import PkiFiles, ensure_local_pki

BENCHMARKS = Path(__file__).resolve().parent
THREADS = "16"
_START_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """A running program; `context` is its clients' TLS, None where it speaks plain HTTP."""

    process: subprocess.Popen[bytes]
    port: int
    context: ssl.SSLContext | None
    log: Path

    def connect(self) -> Connection:
        if self.context is None:
            return Connection(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60))
        return Connection(
            http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=self.context)
        )

    def worker(self) -> int:
        """Process id of its only worker."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        (only,) = children
        return int(only)


@dataclass(frozen=True)
class Connection:
    """One connection, kept alive; every request has ids of its own."""

    http: http.client.HTTPConnection

    def post(self, body: bytes, path: str = MESSAGE) -> Answer:
        return self.ask("POST", path, body)

    def get(self, path: str) -> Answer:
        return self.ask("GET", path, None)

    def ask(self, verb: str, path: str, body: bytes | None) -> Answer:
        self.http.request(verb, path, body=body, headers={**headers(), "Content-Type": FHIR_JSON})
        response = self.http.getresponse()
        return Answer(response.status, response.read())


@contextmanager
def mutual_tls(url: str) -> Iterator[Server]:
    """The receiver as it is run, with one worker."""
    with TemporaryDirectory(prefix="bars-bench-tls-") as name:
        folder, port = Path(name), free_port()
        pki = ensure_local_pki(folder / "pki", now=datetime.now(UTC))
        command = [sys.executable, "-m", "bars_portal.exchange.receiver.server"]
        extra = _receiver_variables(pki, port)
        with running(command, environment(url) | extra, port, folder, client_context(pki)) as server:
            yield server


@contextmanager
def plain(url: str) -> Iterator[Server]:
    """The same application and server program without TLS, as behind nginx; for comparison only."""
    with TemporaryDirectory(prefix="bars-bench-plain-") as name:
        folder, port = Path(name), free_port()
        pki = ensure_local_pki(folder / "pki", now=datetime.now(UTC))
        options = ["--worker-class", "gthread", "--threads", THREADS, "--keep-alive", "75", "--workers", "1"]
        command = [sys.executable, "-m", "gunicorn", "--no-control-socket", "--bind", f"127.0.0.1:{port}"]
        extra = {
            "BARS_PEER_SOURCE": "bundled",
            "BENCH_PEER_CERTIFICATE": str(pki.certificate("proxy-client")),
            "PYTHONPATH": f"{BENCHMARKS}:{ROOT}",
        }
        whole = [*command, *options, "plain_app:application"]
        with running(whole, environment(url) | extra, port, folder, None) as server:
            yield server


@contextmanager
def running(
    command: Sequence[str],
    variables: Mapping[str, str],
    port: int,
    folder: Path,
    context: ssl.SSLContext | None,
) -> Iterator[Server]:
    """The program with all that it starts; nothing of it is left at the end. Raises RuntimeError."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | variables, stdout=log, stderr=log, start_new_session=True
        )
    server = Server(process, port, context, folder / "log")
    try:
        _wait(server)
        yield server
    finally:
        _stop(process)


def client_context(pki: PkiFiles) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(pki.ca_chain))
    context.load_cert_chain(pki.certificate("proxy-client"), pki.key("proxy-client"))
    return context


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _receiver_variables(pki: PkiFiles, port: int) -> dict[str, str]:
    return {
        "BARS_PEER_SOURCE": "bundled",
        "RECEIVER_PORT": str(port),
        "RECEIVER_WORKERS": "1",
        "RECEIVER_THREADS": THREADS,
        "RECEIVER_CERT_FILE": str(pki.certificate("receiver")),
        "RECEIVER_KEY_FILE": str(pki.key("receiver")),
        "RECEIVER_CA_FILE": str(pki.ca_chain),
    }


def _wait(server: Server) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        with suppress(OSError, http.client.HTTPException):
            server.connect().get("/FHIR/R4/metadata")
            return
        time.sleep(0.1)
    raise RuntimeError(f"It did not start:\n{server.log.read_text()}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
