"""Calling the receiver as the BaRS proxy does: its headers, and its WSGI application in this process."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

import trustme
from stage import SERVICE_ID

from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.transport.headers import OutgoingContext, Party, Software, encode_headers

if TYPE_CHECKING:
    from django.core.handlers.wsgi import WSGIHandler

MESSAGE = "/FHIR/R4/$process-message"
FHIR_JSON = "application/fhir+json"
PROXY_NAME = "int.api.service.nhs.uk"


def headers(service_id: str = SERVICE_ID) -> dict[str, str]:
    """Complete headers of a new request."""
    context = OutgoingContext(
        request_id=uuid4(),
        correlation_id=uuid4(),
        target=ServiceID.parse(service_id),
        organisation=Party("RX111", "A 111 provider"),
        software=Software("benchmark", "Benchmark", "1"),
        use_context="a1t1|referral|servicerequest-request|new",
    )
    return {**encode_headers(context), "Accept": f"{FHIR_JSON}; version=1.1.0"}


def proxy_headers() -> dict[str, str]:
    """What nginx adds about the caller's certificate."""
    pem = trustme.CA().issue_cert(PROXY_NAME).cert_chain_pems[0].bytes().decode()
    return {"X-SSL-Client-Verify": "SUCCESS", "X-SSL-Client-Cert": quote(pem)}


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


@dataclass
class InProcess:
    """The receiver's whole WSGI application (URLs, edge, exchange, domain), without a socket."""

    application: WSGIHandler
    proxy: dict[str, str] = field(default_factory=proxy_headers)

    @classmethod
    def load(cls) -> InProcess:
        """As a worker does it at start, warmed."""
        from bars_portal.wsgi import application

        return cls(application)

    def environ(self, body: bytes) -> dict[str, Any]:
        """A `POST /$process-message` that has arrived completely, with ids of its own."""
        sent = {**headers(), **self.proxy}
        named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in sent.items()}
        return {
            "REQUEST_METHOD": "POST",
            "SCRIPT_NAME": "",
            "PATH_INFO": MESSAGE,
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1",
            "CONTENT_TYPE": FHIR_JSON,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            **named,
        }

    def answer(self, environ: dict[str, Any]) -> Answer:
        started: list[str] = []

        def start_response(
            status: str, _headers: object, _error: object = None, /
        ) -> Callable[[bytes], object]:
            started.append(status)
            return started.append  # type: ignore[return-value]  # nobody writes

        response = self.application(environ, start_response)
        body = b"".join(response)
        # As a server does it: this is where Django gives its connection back to the pool.
        response.close()
        return Answer(int(started[0].split()[0]), body)
