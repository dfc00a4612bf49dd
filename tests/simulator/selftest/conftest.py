"""A receiver of a few lines for the engine: what it answers is in the test's hands."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

USE_CASES = "https://fhir.nhs.uk/CodeSystem/usecases-categories-bars"


@dataclass
class Puppet:
    """Answers every request with `status` and `body`, echoing both ids when `echo`; notes what came."""

    url: str = ""
    status: int = 200
    body: bytes = b'{"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}'
    echo: bool = True
    use_cases: dict[str, str] = field(default_factory=lambda: {"servicerequest-request-referral": "a1t1"})
    came: list[tuple[str, str, bytes]] = field(default_factory=list)

    def definitions(self) -> dict[str, Any]:
        listed = [
            {
                "resourceType": "MessageDefinition",
                "url": f"https://fhir.nhs.uk/MessageDefinition/bars-message-{name}",
                "useContext": [
                    {"valueCodeableConcept": {"coding": [{"system": USE_CASES, "code": use_case}]}}
                ],
            }
            for name, use_case in self.use_cases.items()
        ]
        return {
            "resourceType": "Bundle",
            "type": "searchset",
            "entry": [{"resource": each} for each in listed],
        }


@pytest.fixture
def puppet() -> Iterator[Puppet]:
    made = Puppet()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(made)) as server:
        made.url = f"http://127.0.0.1:{server.server_port}/FHIR/R4"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield made
        server.shutdown()
        thread.join()


def _handler(puppet: Puppet) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            puppet.came.append((self.command, self.path, body))
            definitions = "/MessageDefinition" in self.path
            told = json.dumps(puppet.definitions()).encode() if definitions else puppet.body
            self.send_response_only(200 if definitions else puppet.status)
            self.send_header("Content-Type", "application/fhir+json")
            for name in ("X-Request-ID", "X-Correlation-ID") if puppet.echo else ():
                self.send_header(name, self.headers.get(name, ""))
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        do_POST = do_DELETE = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    return Handler
