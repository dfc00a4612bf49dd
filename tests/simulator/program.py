"""`python -m bars_portal.simulator` as a process of its own, and a sender that speaks HTTP to it."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bars_portal.simulator.config import Config
from tests.live.xml import to_xml
from tests.simulator.support import BASE, FORM, SYSTEM, form, sign, target

ROOT = Path(__file__).resolve().parents[2]
FHIR_JSON, FHIR_XML = "application/fhir+json", "application/fhir+xml"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def options(config: Config, port: int) -> list[str]:
    return [
        f"--port={port}",
        f"--state={config.state_dir / 'state'}",
        f"--ca={config.ca_file}",
        f"--client-cert={config.client_cert_file}",
        f"--client-key={config.client_key_file}",
        f"--clients={config.clients_file}",
        f"--catalogue={config.catalogue_file}",
    ]


@contextmanager
def running(config: Config, *more: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The program until the block ends, and its address; its log is log.txt in the state's folder."""
    port = free_port()
    home = config.state_dir / "home"
    home.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    command = [sys.executable, "-m", "bars_portal.simulator", *options(config, port), *more]
    log = config.state_dir / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait_until_up(f"http://127.0.0.1:{port}", process)
        yield process, f"http://127.0.0.1:{port}"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_up(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/simulator/health", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("the simulator did not start")


@dataclass(frozen=True)
class Sender:
    """A sender with a token: every call is a real request with new ids."""

    http: httpx.Client
    token: str

    @classmethod
    def signed_in(cls, http: httpx.Client, private_key: RSAPrivateKey) -> "Sender":
        url = str(http.base_url).rstrip("/")
        assertion = sign(private_key, aud=f"{url}/oauth2/token", exp=int(time.time()) + 240)
        granted = http.post("/oauth2/token", content=form(assertion), headers={"Content-Type": FORM})
        return cls(http, granted.json()["access_token"])

    def call(
        self,
        method: str,
        path: str,
        *,
        service: str = "2000072489",
        organisation: str = "A1001",
        media: str = FHIR_JSON,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """A request to the proxy; `media` is what is sent and what is asked for."""
        usual = {
            "X-Request-Id": str(uuid4()),
            "X-Correlation-Id": str(uuid4()),
            "NHSD-Target-Identifier": target(service),
            "NHSD-End-User-Organisation": organisation_header(organisation),
            "Authorization": f"Bearer {self.token}",
            "Accept": f"{media}; version=1.1.0",
        }
        if body is not None:
            usual["Content-Type"] = media
        sent = usual | dict(headers or {})
        return self.http.request(method, f"{BASE}{path}", content=body, headers=sent)

    def post(self, bundle: Mapping[str, Any], *, media: str = FHIR_JSON, **more: Any) -> httpx.Response:
        """A message, as JSON or XML."""
        body = json.dumps(bundle).encode() if media == FHIR_JSON else to_xml(dict(bundle))
        return self.call("POST", "/$process-message", media=media, body=body, **more)


def organisation_header(code: str) -> str:
    """NHSD-End-User-Organisation, pretty-printed as in the published example."""
    identifier = [{"value": code, "system": "https://fhir.nhs.uk/Id/ods-organization-code"}]
    content = {"resourceType": "Organization", "identifier": identifier, "name": "My service provider name"}
    return base64.b64encode(json.dumps(content, indent=2).encode()).decode()


def route(config: Config, services: Mapping[str, str]) -> None:
    """Writes the endpoint catalogue."""
    config.catalogue_file.write_text(json.dumps({"NHSD-Target-Identifier": {SYSTEM: dict(services)}}))
