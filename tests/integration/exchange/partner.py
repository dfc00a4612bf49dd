"""The other side of our sending: a scripted HTTP server, a message type of the tests, a client for both."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from uuid import UUID, uuid4

import httpx
from django.db import connection, models

from bars_portal.accounts.models import Organisation
from bars_portal.audit.actor import Actor
from bars_portal.exchange import outbox, registry
from bars_portal.exchange.delivery import deliver
from bars_portal.exchange.fhir.codes import MessageEvent, MessageReason, UseCase
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.models import DeliveryState, OutboundMessage
from bars_portal.exchange.registry import Addressing, MessageType, Outcome, ReadBack
from bars_portal.exchange.transport.client import BarsClient, build_http
from bars_portal.exchange.transport.headers import Party
from tests.factories.accounts import make_organisation
from tests.unit.exchange_transport.servers import Server, Step

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
FOCUS: dict[str, Any] = {"resourceType": "Appointment", "id": "a", "status": "waitlist"}
HEADER = {"resourceType": "MessageHeader", "focus": [{"reference": "urn:uuid:a"}]}
MESSAGE: dict[str, Any] = {
    "resourceType": "Bundle",
    "type": "message",
    "id": "x",
    "entry": [
        {"fullUrl": "urn:uuid:h", "resource": HEADER},
        {"fullUrl": "urn:uuid:a", "resource": FOCUS},
    ],
}
ACCEPTED_BODY = json.dumps(MESSAGE).encode()


class Probe(MessageType):
    """Sends a bundle that says little, and remembers what became of it.

    `read` is what a read brings; None: such messages cannot be read.
    """

    key = "probe"
    label = "Probe"
    event = MessageEvent.BOOKING_REQUEST
    reasons = frozenset({MessageReason.NEW})
    focus_type = "Appointment"
    focus_statuses = frozenset({"waitlist"})
    definition = "https://fhir.nhs.uk/MessageDefinition/probe"
    tried_for = timedelta(days=1)

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.read: ReadBack | None = None
        self.reads = 0
        self.failure: Exception | None = None

    def addressing(self, subject: models.Model) -> Addressing:
        return Addressing(ServiceID.parse("2000099001"), uuid4(), UseCase("a1t1"), "booking")

    def build(self, subject: models.Model, *, bundle_id: UUID, now: datetime) -> dict[str, Any]:
        return MESSAGE

    def handle_reply(self, subject_id: str, outcome: Outcome, *, actor: Actor, now: datetime) -> None:
        assert connection.in_atomic_block, "settled in one transaction"
        Organisation.objects.filter(pk=subject_id).update(phone=outcome.reason)
        if self.failure is not None:
            raise self.failure
        self.outcomes.append(outcome)

    def read_back(self, subject_id: str, client: BarsClient, *, now: datetime) -> ReadBack | None:
        assert not connection.in_atomic_block, "reads go over the network"
        self.reads += 1
        return self.read

    def parse(self, bundle: object, *, now: object) -> object:
        raise NotImplementedError

    def apply(self, parsed: object, context: object) -> Any:
        raise NotImplementedError


@contextmanager
def registered(kind: MessageType) -> Iterator[None]:
    """Known to the registry meanwhile."""
    registry._registry.messages[kind.key] = kind
    try:
        yield
    finally:
        del registry._registry.messages[kind.key]


class OutsideTransactions:
    """A token source that is asked right before each send."""

    def __init__(self) -> None:
        self.asked = 0

    def get(self, *, now: datetime) -> str:
        assert not connection.in_atomic_block, "no network inside a transaction"
        self.asked += 1
        return "a-secret-token"

    def discard(self, token: str) -> None:
        """The next one is the same."""


@dataclass
class Desk:
    """Sending one message after the other to a scripted partner; `now` moves by a minute each call."""

    server: Server
    probe: Probe
    subject: Organisation = field(default_factory=make_organisation)
    tokens: OutsideTransactions = field(default_factory=OutsideTransactions)
    now: datetime = START
    base_url: str = ""

    def clock(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    @contextmanager
    def client(self) -> Iterator[BarsClient]:
        http: httpx.Client = build_http(timeout_seconds=0.4, verify=False)
        base_url = self.base_url or self.server.url
        client = BarsClient(base_url=base_url, tokens_of=lambda _: self.tokens, http=http, clock=self.clock)
        try:
            yield client
        finally:
            client.close()

    def enqueue(self) -> OutboundMessage:
        actor = Actor("Chris Linnell", organisation_id=self.subject.pk)
        return outbox.enqueue(
            key="probe",
            subject=self.subject,
            organisation=Party(self.subject.ods_code, self.subject.name),
            actor=actor,
            now=self.now,
        )

    def deliver(self, message: OutboundMessage) -> DeliveryState | None:
        with self.client() as client:
            state = deliver(message.pk, client=client, clock=self.clock)
        message.refresh_from_db()
        return state


def echoing(
    status: int = 200, body: bytes = ACCEPTED_BODY, change: Callable[[dict[str, str]], Any] | None = None
) -> Step:
    """Answer with both ids echoed; `change` may spoil the headers."""

    def step(handler: BaseHTTPRequestHandler) -> None:
        names = ("X-Request-ID", "X-Correlation-ID")
        headers = {name: handler.headers[name] for name in names if handler.headers[name]}
        headers |= {"Set-Cookie": "session=a-secret-token", "Content-Length": str(len(body))}
        if change is not None:
            change(headers)
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return step


def outcome_body(code: str, issue: str) -> bytes:
    coding = {"system": "https://fhir.nhs.uk/CodeSystem/http-error-codes", "code": code}
    issues = [{"severity": "error", "code": issue, "details": {"coding": [coding]}}]
    return json.dumps({"resourceType": "OperationOutcome", "issue": issues}).encode()


def refusing(status: int, code: str, issue: str = "processing") -> Step:
    return echoing(status, outcome_body(code, issue))
