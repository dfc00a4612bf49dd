"""A small faulty gateway in front of the real receiver: plain HTTP in, mutual TLS out, one thing wrong."""

import gzip
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import httpx

JSON = "application/fhir+json"
_IDS = {"x-request-id", "x-correlation-id"}
_HOP_IN = {"connection", "transfer-encoding", "content-length", "keep-alive"}
_HOP_OUT = _HOP_IN | {"date", "server"}


@dataclass(frozen=True)
class Asked:
    """A request on its way in; header names are lower-case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Told:
    """An answer on its way out."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Breakage:
    """What goes wrong: on the way in, on the way out, or both."""

    way_in: Callable[[Asked], Asked | Told] = lambda asked: asked
    way_out: Callable[[Asked, Told], Told] = lambda asked, told: told


def _without_echo(_: Asked, told: Told) -> Told:
    return replace(told, headers={name: value for name, value in told.headers.items() if name not in _IDS})


def _wrong_code(_: Asked, told: Told) -> Told:
    """Calls a duplicate a conflict, as if the slot were taken: senders would book again."""
    return replace(told, body=told.body.replace(b'"duplicate"', b'"conflict"'))


def _json_only(asked: Asked) -> Asked | Told:
    """A receiver that has never heard of XML: bodies are refused, answers are JSON whatever is asked."""
    if "xml" in asked.headers.get("content-type", ""):
        return refused(415, asked, issue="not-supported")
    accept = JSON if "xml" in asked.headers.get("accept", "") else asked.headers.get("accept", "")
    kept = {name: value for name, value in asked.headers.items() if name != "accept"}
    target = re.sub(r"_format=[^&]*xml", "_format=json", asked.target)
    return replace(asked, headers=kept | ({"accept": accept} if accept else {}), target=target)


def _forgets(asked: Asked) -> Asked:
    """A receiver that lost its state: every message is new to it, and what it took cannot be read."""
    if asked.method == "POST" and _is_uuid(asked.headers.get("x-request-id", "")):
        return replace(asked, headers=asked.headers | {"x-request-id": str(uuid4())})
    found = re.search(r"/(?:Appointment|ServiceRequest)/([0-9a-f-]{36})$", asked.target)
    if asked.method != "GET" or found is None:
        return asked
    return replace(asked, target=asked.target.replace(found[1], str(uuid4())))


def _echoes_what_came(asked: Asked, told: Told) -> Told:
    return replace(told, headers=told.headers | {"x-request-id": asked.headers.get("x-request-id", "")})


BREAKAGES = {
    "echo off": Breakage(way_out=_without_echo),
    "wrong code": Breakage(way_out=_wrong_code),
    "XML off": Breakage(way_in=_json_only),
    "lost state": Breakage(way_in=_forgets, way_out=_echoes_what_came),
}


@dataclass
class Gateway:
    """In front of a receiver; `breakage` may be changed between runs."""

    breakage: Breakage = field(default_factory=Breakage)

    def answer(self, asked: Asked, receiver: httpx.Client) -> Told:
        changed = self.breakage.way_in(asked)
        told = changed if isinstance(changed, Told) else self._forward(changed, receiver)
        return self.breakage.way_out(asked, told)

    def _forward(self, asked: Asked, receiver: httpx.Client) -> Told:
        headers = {name: value for name, value in asked.headers.items() if name not in _HOP_IN}
        request = receiver.build_request(asked.method, receiver.base_url, headers=headers, content=asked.body)
        for name in {"accept", "accept-encoding", "user-agent"} - set(asked.headers):
            del request.headers[name]
        request.extensions["target"] = asked.target.encode()
        answer = receiver.send(request)
        kept = {name.lower(): value for name, value in answer.headers.items() if name.lower() not in _HOP_OUT}
        # As it came: what was compressed stays so.
        zipped = answer.headers.get("content-encoding") == "gzip"
        return Told(answer.status_code, kept, gzip.compress(answer.content) if zipped else answer.content)


@contextmanager
def standing_in_front(connect: Callable[[], httpx.Client]) -> Iterator[tuple[Gateway, str]]:
    """The gateway and its base URL."""
    gateway = Gateway()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(gateway, connect)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield gateway, f"http://127.0.0.1:{server.server_port}/FHIR/R4"
        server.shutdown()
        thread.join()


def _handler(gateway: Gateway, connect: Callable[[], httpx.Client]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """One for each connection, in a thread of its own, with its own way to the receiver."""

        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            # A pool that threads share may close under one what another one gave up.
            with connect() as self.receiver:
                super().handle()

        def handle_any(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, self._body())
            told = gateway.answer(asked, self.receiver)
            self.send_response_only(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the engine says what it saw."""

    return Handler


_CODES = {404: "REC_NOT_FOUND", 406: "REC_NOT_ACCEPTABLE", 422: "REC_UNPROCESSABLE_ENTITY"}


def refused(status: int, asked: Asked, *, issue: str = "") -> Told:
    """What a receiver says that does not take the request."""
    code = _CODES.get(status, "REC_BAD_REQUEST")
    coding = {"system": "https://fhir.nhs.uk/CodeSystem/http-error-codes", "code": code}
    issue = issue or ("processing" if status == 422 else "invariant")
    told = {"severity": "error", "code": issue, "details": {"coding": [coding]}}
    return _answered(status, {"resourceType": "OperationOutcome", "issue": [told]}, asked)


def _answered(status: int, content: dict[str, Any], asked: Asked) -> Told:
    ids = {name: value for name, value in asked.headers.items() if name in _IDS}
    return Told(status, {"content-type": JSON, **ids}, json.dumps(content).encode())


def _is_uuid(text: str) -> bool:
    return re.fullmatch(r"[0-9A-Fa-f-]{36}", text) is not None
