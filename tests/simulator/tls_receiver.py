"""A small HTTPS server in a thread that demands a client certificate and notes what arrives."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import trustme


@dataclass(frozen=True)
class Arrived:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    certificate_names: tuple[str, ...]
    connection: tuple[str, int]


@dataclass
class TlsReceiver:
    """`behaviour` is "answer", "close after" (answering), "hang up" (unanswered) or "silent"."""

    url: str = ""
    arrived: list[Arrived] = field(default_factory=list)
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/fhir+json"),)
    body: bytes = b"{}"
    behaviour: str = "answer"
    broken_handshakes: list[str] = field(default_factory=list)
    ended: Event = field(default_factory=Event)


def write_certificates(folder: Path) -> tuple[trustme.CA, trustme.CA]:
    """Writes the chain, the proxy's certificate and its key. Returns (our authority, a stranger)."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca-chain.pem")
    client = authority.issue_cert("int.api.service.nhs.uk", common_name="int.api.service.nhs.uk")
    for blob in client.cert_chain_pems:
        blob.write_to_path(folder / "proxy-client.pem", append=True)
    client.private_key_pem.write_to_path(folder / "proxy-client.key")
    return authority, trustme.CA()


@contextmanager
def tls_receiver(server_authority: trustme.CA, client_authority: trustme.CA) -> Iterator[TlsReceiver]:
    """Serves on a free port until the block ends."""
    receiver = TlsReceiver()
    server = _QuietServer(("127.0.0.1", 0), _handler(receiver))
    server.receiver = receiver
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_authority.issue_cert("127.0.0.1").configure_cert(context)
    client_authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    receiver.url = f"https://127.0.0.1:{server.server_port}/FHIR/R4"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    receiver: TlsReceiver

    def handle_error(self, request: Any, client_address: Any) -> None:
        self.receiver.broken_handshakes.append(str(client_address))


def _handler(receiver: TlsReceiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 5

        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            certificate: Any = self.connection.getpeercert()
            names = tuple(
                value for pairs in certificate["subject"] for key, value in pairs if key == "commonName"
            )
            receiver.arrived.append(
                Arrived(
                    self.command,
                    self.path,
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(length),
                    names,
                    self.client_address,
                )
            )
            if receiver.behaviour == "silent":
                receiver.ended.wait(10)
            if receiver.behaviour in {"hang up", "silent"}:
                self.close_connection = True
                return
            self.send_response(receiver.status)
            for name, value in receiver.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(receiver.body)))
            self.end_headers()
            self.wfile.write(receiver.body)
            self.close_connection = receiver.behaviour == "close after"

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        def log_message(self, format: str, *args: Any) -> None:
            return

    return Handler
