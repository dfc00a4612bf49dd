"""Scripted HTTP servers on loopback: real sockets, so that the client's errors are the real ones."""

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Received:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    peer_certificate: bytes | None


Step = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Server:
    """Plays its steps one after the other, the last one again and again, and notes what arrived."""

    url: str = ""
    steps: list[Step] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    connections: set[object] = field(default_factory=set)

    def script(self, *steps: Step) -> None:
        self.steps[:] = steps

    def next_step(self) -> Step:
        return self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]


def reply(status: int = 200, body: bytes = b"{}", headers: Mapping[str, str] | None = None) -> Step:
    def step(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return step


def raw(content: bytes) -> Step:
    """These bytes instead of an HTTP answer, and then the end of the connection."""

    def step(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(content)
        handler.close_connection = True

    return step


def silence(release: threading.Event) -> Step:
    def step(handler: BaseHTTPRequestHandler) -> None:
        release.wait(5)
        handler.close_connection = True

    return step


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server()
    http = _Loopback(("127.0.0.1", 0), _handler_of(server))
    if context:
        http.socket = context.wrap_socket(http.socket, server_side=True, do_handshake_on_connect=False)
    server.url = f"{'https' if context else 'http'}://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


class _Loopback(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are what these tests are about."""


def _handler_of(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            server.connections.add(self.client_address)
            server.received.append(self._note())
            server.next_step()(self)

        do_POST = do_GET

        def _note(self) -> Received:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            peer = self.connection.getpeercert(True) if isinstance(self.connection, ssl.SSLSocket) else None
            headers = {name.lower(): value for name, value in self.headers.items()}
            return Received(self.command, self.path, headers, body, peer)

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    return Handler
