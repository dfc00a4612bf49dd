"""A sound installation in this process: files, a receiver, a token server, and a stand-in of the proxy."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.utils import timezone

from bars_portal.audit.actor import Actor
from bars_portal.audit.chain.sealer import seal_trail
from bars_portal.audit.services import record
from bars_portal.credentials.local_pki import PkiFiles
from bars_portal.http import Answer
from bars_portal.status.doctor import EXAMINATIONS
from bars_portal.status.doctor.examination import Line, Verdict, Visit, examine
from directory.models import HealthcareService
from tests.factories.certificates import rsa_key
from tests.unit.exchange_transport.servers import Server

KEY_ID = "BarsPortal-SIMULATOR-1"
PROXY = "int.api.service.nhs.uk"
TOKEN = b'{"access_token": "a-token", "expires_in": "599", "token_type": "Bearer"}'


def private_file(path: Path, purpose: str, bits: int = 2048) -> str:
    key = rsa_key(purpose, bits).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(key)
    path.chmod(0o600)
    return str(path)


@dataclass
class Door:
    """The receiver's TLS server; `context` is read for each connection."""

    port: int
    context: ssl.SSLContext
    answer: bytes = b""


@contextmanager
def door(context: ssl.SSLContext) -> Iterator[Door]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        opened = Door(listening.getsockname()[1], context)

        def serve() -> None:
            while True:
                try:
                    plain, _ = listening.accept()
                except OSError:
                    return
                plain.settimeout(3)
                with suppress(OSError), opened.context.wrap_socket(plain, server_side=True) as sock:
                    sock.recv(1000)
                    sock.sendall(opened.answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield opened
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=5)


def server_side(pki: PkiFiles, *, trusted: Path | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.certificate("receiver"), pki.key("receiver"))
    context.load_verify_locations(cafile=trusted or pki.ca_chain)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


@dataclass
class Proxy:
    """Stands for the BaRS proxy: which services it knows, and whether the way leads here."""

    known: bool = True
    here: bool = True

    def within(self, _seconds: float) -> "Proxy":
        return self

    def get(self, _path: str, *, context: Any) -> Answer:
        if self.known and self.here:
            record(
                actor=Actor(label="partner"),
                action="x.y",
                now=timezone.now(),
                correlation_id=context.correlation_id,
            )
            seal_trail(now=timezone.now())
        return Answer(HTTPStatus.OK if self.known else HTTPStatus.NOT_FOUND, {}, b"{}", 1)


@dataclass
class World:
    """A sound installation."""

    settings: Any
    patch: pytest.MonkeyPatch
    folder: Path
    pki: PkiFiles
    token_server: Server
    door: Door
    service: HealthcareService
    lock: Path
    proxy: Proxy = field(default_factory=Proxy)
    python: tuple[int, int] = (3, 11)

    def bars(self, **changes: str) -> None:
        self.settings.BARS = {**self.settings.BARS, **changes}

    def cis2(self, **changes: str) -> None:
        """As registered, but for the changes."""
        sound = {"ISSUER": "https://cis2.example", "CLIENT_ID": "x", "KEY_ID": "k"}
        sound["PRIVATE_KEY_FILE"] = str(self.folder / "signing.key")
        self.settings.CIS2 = {**self.settings.CIS2, **sound, **changes}

    def receiver(self, **changes: str) -> None:
        self.settings.RECEIVER = {
            **self.settings.RECEIVER,
            **{f"RECEIVER_{k}": v for k, v in changes.items()},
        }

    def examine(self, **how: Any) -> list[Line]:
        visit = Visit(now=timezone.now(), lock_file=self.lock, python=self.python)
        return examine(EXAMINATIONS, visit, **how)


def ill(lines: list[Line]) -> dict[str, str]:
    return {line.name: line.fact for line in lines if line.verdict in (Verdict.WRONG, Verdict.WARNING)}
