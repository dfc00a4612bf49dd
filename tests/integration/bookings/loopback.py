"""A BaRS network of one: what our sender sends goes straight to our own receiver, without sockets."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx

from bars_portal.exchange import registry
from bars_portal.exchange.arrival import Arrival, partner
from bars_portal.exchange.delivery import deliver
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.bundle import Rendered
from bars_portal.exchange.fhir.capability import capability_statement, message_definitions
from bars_portal.exchange.fhir.outcomes import OutcomeCode, OutcomeError, fault, operation_outcome
from bars_portal.exchange.fhir.queries.services import DefinitionQuery
from bars_portal.exchange.inbound import receive
from bars_portal.exchange.models import DeliveryState, OutboundMessage
from bars_portal.exchange.registry import ReadContext, services
from bars_portal.exchange.transport.auth import NoToken
from bars_portal.exchange.transport.client import BarsClient
from bars_portal.exchange.transport.headers import IncomingHeaders, decode_headers
from tests.factories.bookings import NOW

BASE = "https://proxy.example.nhs.uk/FHIR/R4"
Fault = Callable[[httpx.Request], httpx.Response]


def due_messages(now: datetime) -> list[UUID]:
    """What has no clear answer and goes out again by itself, the longest waiting first."""
    due = OutboundMessage.objects.filter(state=DeliveryState.UNKNOWN, next_attempt_at__lte=now)
    return list(due.order_by("next_attempt_at").values_list("pk", flat=True))


@dataclass
class Loopback:
    """`before` answers instead of the receiver, once each; `after` spoils an answer that it gave."""

    now: datetime = NOW
    before: list[Fault] = field(default_factory=list)
    after: list[Fault] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)

    @property
    def client(self) -> BarsClient:
        http = httpx.Client(transport=httpx.MockTransport(self._answer))
        return BarsClient(base_url=BASE, tokens_of=lambda _: NoToken(), http=http, clock=lambda: self.now)

    def deliver_all(self) -> list[DeliveryState | None]:
        """Send what waits in the outbox, and what that brings about, until nothing waits."""
        states: list[DeliveryState | None] = []
        queued = OutboundMessage.objects.filter(state=DeliveryState.QUEUED)
        while waiting := queued.order_by("created_at").first():
            state = deliver(waiting.pk, client=self.client, clock=lambda: self.now)
            assert state is not None, "the oldest one waits for nobody"
            states.append(state)
        return states

    def deliver_due(self, *, after: timedelta) -> list[DeliveryState | None]:
        """What goes out again by itself, that much later."""
        self.now += after
        return [deliver(each, client=self.client, clock=lambda: self.now) for each in due_messages(self.now)]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.before:
            return self.before.pop(0)(request)
        answer = self._receiver(request)
        return self.after.pop(0)(request) if self.after else answer

    def _receiver(self, request: httpx.Request) -> httpx.Response:
        headers = decode_headers(dict(request.headers))
        echo = {"X-Request-ID": str(headers.request_id), "X-Correlation-ID": str(headers.correlation_id)}
        try:
            status, body = self._serve(request, headers)
        except OutcomeError as refusal:
            body = json.dumps(operation_outcome(refusal.issues, outcome_id=str(uuid4())))
            status = refusal.status
        return httpx.Response(status, headers=echo, content=body)

    def _serve(self, request: httpx.Request, headers: IncomingHeaders) -> tuple[int, bytes]:
        _, _, path = request.url.path.partition("/FHIR/R4/")
        if request.method == "POST":
            raw = dict(request.headers)
            stored = receive(Arrival(request.content, raw, headers, "proxy", self.now))
            return stored.status, stored.body
        kind, _, ident = path.partition("/")
        if kind == "metadata":
            return 200, json.dumps(_statement(self.now))
        if kind == "MessageDefinition":
            return 200, json.dumps(_definitions(list(request.url.params.multi_items()), self.now))
        (reader,) = (each for each in registry.readers() if each.resource_type == kind)
        context = read_context(headers, self.now)
        found: Any = (
            reader.read(UUID(ident), context)
            if ident
            else reader.search(list(request.url.params.multi_items()), context)
        )
        return (200, _json(found)) if found is not None else (404, _outcome("REC_NOT_FOUND", "not-found"))


def _statement(now: datetime) -> dict[str, Any]:
    return capability_statement(software="Portal", version="1", now=now, rows=registry.workflow_rows())


def _definitions(params: list[tuple[str, str]], now: datetime) -> dict[str, Any]:
    query = DefinitionQuery.parse(params)
    service = services.provider.hosted(query.service_id)
    if service is None:
        raise fault(OutcomeCode.NOT_FOUND, "The service is not known here.", "context")
    return message_definitions(service, registry.workflow_rows(), now, use_cases=query.use_cases)


def _json(found: Any) -> bytes:
    return found.body if isinstance(found, Rendered) else json.dumps(found)


def read_context(headers: IncomingHeaders, now: datetime) -> ReadContext:
    return ReadContext(
        request_id=headers.request_id,
        correlation_id=headers.correlation_id,
        target=headers.target,
        caller=headers.caller,
        received_at=now,
        actor=partner(headers, "proxy"),
    )


def timeout(_: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("too late")


def unreachable(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no route")


def refusing(status: int, code: str, issue: str = "processing") -> Fault:
    """Answer with an OperationOutcome, ids echoed."""

    def answer(request: httpx.Request) -> httpx.Response:
        names = ("X-Request-ID", "X-Correlation-ID")
        echo = {name: request.headers[name] for name in names}
        return httpx.Response(status, headers=echo, content=_outcome(code, issue))

    return answer


def answering(body: dict[str, Any]) -> Fault:
    """Answer 200 with this body, ids echoed."""

    def answer(request: httpx.Request) -> httpx.Response:
        names = ("X-Request-ID", "X-Correlation-ID")
        return httpx.Response(
            200, headers={name: request.headers[name] for name in names}, content=json.dumps(body)
        )

    return answer


def _outcome(code: str, issue: str) -> bytes:
    coding = {"system": "https://fhir.nhs.uk/CodeSystem/http-error-codes", "code": code}
    issues = [{"severity": "error", "code": issue, "details": {"coding": [coding]}}]
    return json.dumps({"resourceType": "OperationOutcome", "issue": issues})
