"""Speaks WSGI to the simulator without a server, and signs assertions as a sender would."""

import base64
import io
import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bars_portal.simulator.app import WsgiApp
from bars_portal.simulator.forwarding import Call
from bars_portal.simulator.wire import Answer

NOW = datetime(2026, 7, 14, 8, 0, tzinfo=UTC)
PUBLIC_URL = "http://127.0.0.1:8010"
TOKEN_URL = f"{PUBLIC_URL}/oauth2/token"
BASE = "/booking-and-referral/FHIR/R4"
SYSTEM = "https://fhir.nhs.uk/Id/dos-service-id"
API_KEY = "test-api-key"
KEY_ID = "TestSupplier-INT-1"
REQUEST_ID = "74c2b045-9b7d-4b78-aeee-642f6332e3c9"
CORRELATION_ID = "0598efa7-fff0-4ade-9af8-3f46b4124151"
IDS = {"X-Request-Id": REQUEST_ID, "X-Correlation-Id": CORRELATION_ID}
FORM = "application/x-www-form-urlencoded"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class FakeClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        """Moves the clock."""
        self.now += timedelta(**by)


@dataclass
class Recorder:
    """A receiver that notes what reaches it and answers as told."""

    answers: Callable[[Call], Answer] = lambda _call: Answer(
        200, (("Content-Type", "application/fhir+json"),), b"{}"
    )
    calls: list[Call] = field(default_factory=list)

    def answer(self, call: Call) -> Answer:
        """Notes the call."""
        self.calls.append(call)
        return self.answers(call)


@dataclass(frozen=True)
class Reply:
    """What came back through WSGI."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)

    @property
    def outcome(self) -> tuple[int, str, str]:
        """HTTP status, details code and issue code of an OperationOutcome."""
        issue = self.json["issue"][0]
        return self.status, issue["details"]["coding"][0]["code"], issue["code"]


def environ(
    method: str, raw_uri: str, headers: Mapping[str, str], body: bytes, peer: str = "127.0.0.1"
) -> dict[str, Any]:
    """As gunicorn would build it."""
    path, _, query = raw_uri.partition("?")
    made = {
        "REQUEST_METHOD": method,
        "RAW_URI": raw_uri,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REMOTE_ADDR": peer,
        "wsgi.input": io.BytesIO(body),
    }
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        made[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    return made | ({"CONTENT_LENGTH": str(len(body))} if body else {})


def call_app(
    app: WsgiApp,
    method: str,
    raw_uri: str,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    peer: str = "127.0.0.1",
) -> Reply:
    """One request through the WSGI callable."""
    seen: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, response_headers: list[tuple[str, str]]) -> None:
        seen.append((status, response_headers))

    parts: Iterable[bytes] = app(environ(method, raw_uri, headers or {}, body, peer), start_response)
    status, response_headers = seen[0]
    return Reply(int(status[:3]), {name.lower(): value for name, value in response_headers}, b"".join(parts))


def target(value: str, system: str = SYSTEM) -> str:
    """NHSD-Target-Identifier for a service."""
    return base64.b64encode(json.dumps({"system": system, "value": value}).encode()).decode()


def sign(private_key: RSAPrivateKey, *, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
    """A client assertion; a claim given as None is left out."""
    usual: dict[str, Any] = {
        "iss": API_KEY,
        "sub": API_KEY,
        "aud": TOKEN_URL,
        "jti": str(uuid.uuid4()),
        "exp": int((NOW + timedelta(minutes=4)).timestamp()),
    }
    payload = {name: value for name, value in (usual | claims).items() if value is not None}
    named = {"kid": KEY_ID} if header is None else dict(header)
    return jwt.encode(payload, private_key, algorithm="RS512", headers=named)


def form(assertion: str, **changed: str | None) -> bytes:
    """The token request's body; a field given as None is left out."""
    fields = {
        "grant_type": "client_credentials",
        "client_assertion_type": JWT_BEARER,
        "client_assertion": assertion,
    } | changed
    return urlencode({name: value for name, value in fields.items() if value is not None}).encode()


def ask_token(app: WsgiApp, body: bytes, media: str = FORM) -> Reply:
    """POST /oauth2/token."""
    return call_app(app, "POST", "/oauth2/token", {"Content-Type": media}, body)
