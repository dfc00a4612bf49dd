"""The fuzzing tool: it finds what is broken, and a short run of it at the real stack finds nothing."""

import http.server
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import trustme

from tests.fuzz.arsenal import WEIGHTS, barrage
from tests.fuzz.described import Budget, Door, fuzz_described
from tests.fuzz.report import Report, growth_of
from tests.fuzz.running import fuzz, shoot, watched
from tests.fuzz.shots import Shot
from tests.fuzz.target import Target
from tests.fuzz.wire import fire
from tests.live.partner import wait_until
from tests.stack import Stack

SEEDS: list[dict[str, Any]] = [{"resourceType": "Bundle", "entry": [{"resource": {"id": "1"}}]}]
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}
FHIR = "application/fhir+json"
# What is broken: status, media type, body, whether the ids come back; and the sentence that must be found.
FAULTS: dict[str, tuple[int, str, str, bool, str]] = {
    "server-error": (500, FHIR, json.dumps(OUTCOME), True, "status 500"),
    "no-ids": (400, FHIR, json.dumps(OUTCOME), False, "X-Request-ID is not echoed"),
    "page": (400, "text/html", "<h1>Bad Request</h1>", True, "a bare 400"),
    "half": (400, FHIR, json.dumps(OUTCOME)[:20], True, "is no resource"),
    "success": (200, FHIR, json.dumps(OUTCOME), True, "status 200 with OperationOutcome"),
    "silence": (0, "", "", True, "got no answer"),
}


@contextmanager
def broken_server(fault: str, folder: Path) -> Iterator[tuple[Target, Door]]:
    """Answers every request with the fault, over mutual TLS."""
    status, media_type, body, echoing, _ = FAULTS[fault]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if status == 0:
                return
            self.send_response(status)
            for name in ("X-Request-ID", "X-Correlation-ID"):
                if echoing and name in self.headers:
                    self.send_header(name, self.headers[name])
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_GET

        def log_message(self, *_: object) -> None:
            return

    authority = trustme.CA()
    issued, context = authority.issue_cert("localhost"), ssl.create_default_context()
    authority.configure_trust(context)
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(ours)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # what is no TLS is expected here
        server.socket = ours.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        Thread(target=server.serve_forever, daemon=True).start()
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        issued.private_key_and_cert_chain_pem.write_to_path(str(folder / "client.pem"))
        client, port = folder / "client.pem", server.server_address[1]
        door = Door(f"https://localhost:{port}", client, client, folder / "ca.pem")
        yield Target(port, context, 0, folder / "no.log"), door
        server.shutdown()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_server_is_found_and_the_bytes_are_kept(fault: str, tmp_path: Path) -> None:
    report, sentence = Report(tmp_path / "breaches"), FAULTS[fault][-1]
    with broken_server(fault, tmp_path) as (target, _):
        shoot(target, report, seed=7, seeds=SEEDS, seconds=0.5)

        assert [each for each in report.breaches if sentence in each], report.breaches
        kept = next(
            each for each in sorted(report.folder.glob("*.txt")) if sentence in each.read_text()
        ).with_suffix(".bin")
        again = fire(target, Shot("again", kept.read_bytes()))
        assert (again.status if again else 0) == FAULTS[fault][0]


@pytest.mark.further
@pytest.mark.parametrize("fault", ["server-error", pytest.param("no-ids", marks=pytest.mark.thorough)])
def test_schemathesis_finds_it_too(fault: str, tmp_path: Path) -> None:
    description = {
        "openapi": "3.1.0",
        "info": {"title": "Broken", "version": "1"},
        "paths": {"/metadata": {"get": {"responses": {"400": {"description": "", "content": {FHIR: {}}}}}}},
    }
    (tmp_path / "openapi.json").write_text(json.dumps(description))
    report = Report(tmp_path)
    with broken_server(fault, tmp_path) as (_, door):
        fuzz_described(tmp_path / "openapi.json", door, report, budget=Budget(examples=3), seed=1)

    found = {"server-error": "Server error", "no-ids": "is not echoed"}[fault]
    assert found in (tmp_path / "schemathesis.log").read_text()
    assert [each for each in report.breaches if each.startswith("schemathesis ended with 1")]
    assert report.statuses["st GET /metadata"].total() > 0


def test_a_lost_worker_and_an_alarm_in_the_log_are_found(tmp_path: Path) -> None:
    report, log = Report(tmp_path), tmp_path / "log"
    log.write_text("Traceback of long ago\n")
    command = [sys.executable, "-c", "import subprocess; subprocess.run(['sleep', '60']); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as master:
        target = Target(0, ssl.create_default_context(), master.pid, log)
        wait_until(target.workers)
        with watched(target, report):
            (worker,) = target.workers()
            subprocess.run(["kill", "-9", str(worker)], check=True)
            wait_until(lambda: worker not in target.workers())
            log.write_text(log.read_text() + "WORKER TIMEOUT\n")
        master.kill()

    assert set(report.breaches) == {"a worker ended or was started anew", "the log says WORKER TIMEOUT"}


def test_growing_memory_is_found() -> None:
    assert growth_of([100.0] * 39) is None
    assert growth_of([50.0] * 20 + [100.0] * 80) == 0
    assert growth_of([100.0] * 75 + [106.0] * 25) == pytest.approx(0.06)
    report = Report(Path("unused"))
    report.memory = {1: [100.0] * 75 + [106.0] * 25, 2: [100.0] * 75 + [104.0] * 25}
    report.judge_memory()
    assert set(report.breaches) == {"memory of worker 1 grew by 6.0%"}


def test_a_short_run_that_took_long_tells_no_trend() -> None:
    report = Report(Path("unused"), long=False)
    report.memory = {1: [100.0] * 75 + [106.0] * 25}
    report.judge_memory()
    assert not report.breaches


def test_a_seed_gives_the_same_shots() -> None:
    one, two, other = (list(islice(barrage(seed, SEEDS), 200)) for seed in (5, 5, 6))

    assert one == two
    assert one != other


@pytest.mark.further
def test_a_short_run_at_the_real_stack(stack: Stack, shared_dir: Path, tmp_path: Path) -> None:
    report = fuzz(
        stack, folder=tmp_path / "fuzz", seconds=4, budget=Budget(examples=1), seed=3, shared=shared_dir
    )

    assert not report.breaches, "\n".join(report.lines())
    described = {kind for kind in report.statuses if kind.startswith("st ")}
    assert len(set(report.statuses) - described) > len(WEIGHTS) * 0.5
    assert described
    assert {"200", "400", "404"} <= {status for counts in report.statuses.values() for status in counts}
