"""`python -m bars_portal.simulator` as a process: starts, serves, cuts, stops, leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bars_portal.simulator.config import Config, read_config
from tests.simulator.program import ROOT, options, running
from tests.simulator.support import BASE, FORM, IDS, SYSTEM, form, sign, target
from tests.simulator.tls_receiver import tls_receiver, write_certificates

SERVICE = "2000099001"


def _group_is_empty(group: int) -> bool:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_from_assertion_to_receiver_and_out(
    config: Config, tmp_path: Path, private_key: RSAPrivateKey
) -> None:
    authority, _stranger = write_certificates(tmp_path)
    with (
        tls_receiver(authority, authority) as receiver,
        running(config) as (process, url),
        httpx.Client(base_url=url, trust_env=False, timeout=10) as http,
    ):
        routes = {"NHSD-Target-Identifier": {SYSTEM: {SERVICE: receiver.url}}}
        config.catalogue_file.write_text(json.dumps(routes))
        assertion = sign(private_key, aud=f"{url}/oauth2/token", exp=int(time.time()) + 240)
        granted = http.post("/oauth2/token", content=form(assertion), headers={"Content-Type": FORM}).json()
        headers = IDS | {
            "Authorization": f"Bearer {granted['access_token']}",
            "NHSD-Target-Identifier": target(SERVICE),
        }

        assert http.get(f"{BASE}/Slot?start=ge1%2B0&a=b:c", headers=headers).status_code == 200
        assert receiver.arrived[0].target == "/FHIR/R4/Slot?start=ge1%2B0&a=b:c"

        http.post("/simulator/faults", json={"service": SERVICE, "fault": "lost-reply"})
        with pytest.raises(httpx.RemoteProtocolError):
            http.post(f"{BASE}/$process-message", headers=headers, content=b"{}")
        assert receiver.arrived[1].method == "POST"

        http.post("/simulator/faults", json={"service": SERVICE, "fault": "cut-body"})
        with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
            http.post(f"{BASE}/$process-message", headers=headers, content=b"{}")

        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        assert _group_is_empty(process.pid)
    logged = (tmp_path / "log.txt").read_text()
    assert "status=cut" in logged
    assert "Traceback" not in logged
    assert granted["access_token"] not in logged
    assert "start=ge" not in logged
    assert list((tmp_path / "home").iterdir()) == []


@contextmanager
def hanging(config: Config, private_key: RSAPrivateKey) -> Iterator[subprocess.Popen[bytes]]:
    """A simulator with one request held by a drill."""
    with running(config) as (process, url), httpx.Client(base_url=url, trust_env=False) as http:
        assertion = sign(private_key, aud=f"{url}/oauth2/token", exp=int(time.time()) + 240)
        granted = http.post("/oauth2/token", content=form(assertion), headers={"Content-Type": FORM}).json()
        headers = IDS | {
            "Authorization": f"Bearer {granted['access_token']}",
            "NHSD-Target-Identifier": target(SERVICE),
        }
        http.post("/simulator/faults", json={"service": SERVICE, "fault": "hang"})
        with pytest.raises(httpx.ReadTimeout):
            http.get(f"{BASE}/Slot", headers=headers, timeout=0.3)
        yield process


def test_it_stops_on_interrupt_while_a_drill_hangs(
    config: Config, tmp_path: Path, private_key: RSAPrivateKey
) -> None:
    write_certificates(tmp_path)
    with hanging(config, private_key) as process:
        os.killpg(process.pid, signal.SIGINT)

        assert process.wait(timeout=10) == 0
        assert _group_is_empty(process.pid)


def test_a_killed_master_leaves_no_worker_behind(
    config: Config, tmp_path: Path, private_key: RSAPrivateKey
) -> None:
    write_certificates(tmp_path)
    with hanging(config, private_key) as process:
        process.kill()
        process.wait()

        assert _group_is_empty(process.pid)


def test_options_may_come_from_the_environment(config: Config, tmp_path: Path) -> None:
    write_certificates(tmp_path)
    environment = {
        "SIMULATOR_PORT": "9",
        "SIMULATOR_PUBLIC_URL": "http://simulator:8010/",
        "SIMULATOR_STATE": "a",
        "SIMULATOR_CA": str(config.ca_file),
        "SIMULATOR_CLIENT_CERT": str(config.client_cert_file),
        "SIMULATOR_CLIENT_KEY": str(config.client_key_file),
        "SIMULATOR_CLIENTS": "b",
        "SIMULATOR_CATALOGUE": "c",
    }

    read = read_config(["--port=10"], environment)

    assert (read.port, read.host, read.token_url) == (10, "127.0.0.1", "http://simulator:8010/oauth2/token")
    assert (read.reply_delay, read.ca_key_file) == (3.0, None)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ("--port=0", "--port"),
        ("--port=x", "--port"),
        ("--ca=/nowhere", "--ca: there is no such file"),
        ("--ca-key=/nowhere", "--ca-key: there is no such file"),
        ("--reply-delay=soon", "--reply-delay"),
        ("--reply-delay=-1", "--reply-delay"),
    ],
)
def test_wrong_options_end_with_a_message(
    config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: str, words: str
) -> None:
    write_certificates(tmp_path)

    with pytest.raises(SystemExit) as ended:
        read_config([*options(config, 8010), changed], {})

    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_missing_options_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_config([], {})

    assert "--client-cert" in capsys.readouterr().err


def test_it_imports_nothing_of_ours() -> None:
    code = (
        "import sys, bars_portal.simulator.app, bars_portal.simulator.config;"
        "print([m for m in sys.modules if m.startswith('django') or "
        "m.startswith('bars_portal.') and not m.startswith('bars_portal.simulator')])"
    )

    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "[]"
