"""What the desk asks of others: the token server, the API through the proxy, the simulator's desks.

Every call is bounded, and none is made inside a transaction.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django.conf import settings

from bars_portal.credentials.environments import Environment
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.identifiers import ODS_SYSTEM, SERVICE_ID_SYSTEM, ServiceID
from bars_portal.exchange.fhir.outcomes import OutcomeError
from bars_portal.exchange.gateway.senders import software_of
from bars_portal.exchange.transport.auth import NoToken, TokenEndpoint, TokenRefused, TokenSource
from bars_portal.exchange.transport.client import (
    CATALOGUE_ACCEPT,
    ENDPOINTS,
    SERVICES,
    BarsClient,
    build_http,
)
from bars_portal.exchange.transport.headers import (
    CORRELATION_ID,
    ORGANISATION,
    REQUEST_ID,
    OutgoingContext,
    Party,
    encode_json,
    organisation_json,
)
from bars_portal.http import Answer, Client, TransportError, client_context, send
from bookings.slots import INCLUDES

SECONDS = 20.0
_CONNECTION = "https://terminology.hl7.org/CodeSystem/endpoint-connection-type"
_PAYLOAD = "https://terminology.hl7.org/CodeSystem/endpoint-payload-type"
Json = dict[str, Any]

APIS = {
    "int": "Booking and Referral FHIR API (Integration Testing Environment)",
    "simulated-int": "Booking and Referral FHIR API (Integration Testing Environment)",
    "dev": "Booking and Referral FHIR API (Development Environment)",
    "prod": "Booking and Referral FHIR API (Production Environment)",
}
# As API Management calls them.
ENVIRONMENT_WORDS = {
    "int": "Integration Test",
    "simulated-int": "Integration Test",
    "dev": "Development",
    "prod": "Production (Live)",
}


class OutsideRefused(Exception):
    """What was asked was refused, or nobody answered; the text says which, for the person at the desk."""


@dataclass(frozen=True)
class Identity:
    """As whom the API is asked: the application, its key, and the organisation."""

    environment: Environment
    api_key: str
    key_id: str
    key_file: str
    organisation: Party


@contextmanager
def _connections() -> Iterator[Client]:
    http = build_http(timeout_seconds=SECONDS, verify=client_context(ca_file=None), connections=2)
    try:
        yield http
    finally:
        http.close()


def ask_desk(environment: Environment, desk: str, mail: Mapping[str, object]) -> Json:
    """One of the simulator's desks. Raises OutsideRefused with its reason."""
    url = f"{settings.BARS_SIMULATOR_URL}{environment.prefix}/desks/{desk}"
    with _connections() as http:
        answer = _asked(http, "POST", url, body=json.dumps(dict(mail)))
    content = _content(answer)
    if answer.status != 201:
        reason = str(content.get("reason") or f"it answered {answer.status}")
        raise OutsideRefused(f"The simulator's desk sent it back: {reason}")
    return content


def _asked(http: Client, method: str, url: str, *, body: bytes, **headers: str) -> Answer:
    sent = {"Content-Type": "application/json", **headers}
    try:
        return send(http, method, url, headers=sent, body=body, within_seconds=SECONDS)
    except TransportError:
        raise OutsideRefused("Nobody answered. Check that this machine may connect there.") from None


def _content(answer: Answer) -> Json:
    try:
        found = json.loads(answer.body)
    except (OutcomeError, ValueError):
        return {}
    return dict(found) if isinstance(found, dict) else {}


def get_token(identity: Identity, *, now: datetime) -> datetime:
    """Until when it is good. Raises TokenRefused."""
    with _connections() as http:
        return _endpoint(identity, http).request(now=now).expires_at


_TOKEN_FAILURES: Mapping[str, str] = {
    "public_key error": "API Management does not know this key id, or knows another key under it. Check that "
    "the KID was registered as it stands here, and that the public key is the one of the step before.",
    "invalid_client": "The API key belongs to no application, or to one without this API. Check it in the "
    "developer portal.",
    "invalid_request": "The request was not taken as it was signed. Most often a clock is wrong: compare "
    "this machine's with the time of day.",
    "unusable-private-key": "The file of the private key is missing or damaged. Make a new key.",
    "no-answer-connect": "The token server did not answer. Check that this machine may connect to it.",
    "no-answer-timeout": "The token server did not answer in time. Try again.",
    "no-answer-tls": "The connection to the token server is not secure: its certificate was not accepted.",
}


def token_failure(error: str, description: str, message_id: str) -> str:
    """What the failure body means and what to do; its own words stand behind."""
    meaning = _TOKEN_FAILURES.get(error, "The token server refused.")
    told = f' It said: "{description}"' if description else ""
    reference = f" (reference {message_id})" if message_id else ""
    return f"{meaning}{told}{reference}"[:500]


def _endpoint(identity: Identity, http: Client) -> TokenEndpoint:
    return TokenEndpoint(
        http=http,
        url=identity.environment.token_url(settings.BARS_SIMULATOR_URL),
        api_key=identity.api_key,
        key_id=identity.key_id,
        private_key_file=identity.key_file,
    )


class _OneToken:
    """A TokenSource for one visit: asked for once, kept nowhere."""

    def __init__(self, endpoint: TokenEndpoint) -> None:
        self._endpoint, self._token = endpoint, ""

    def get(self, *, now: datetime) -> str:
        self._token = self._token or self._endpoint.request(now=now).access_token
        return self._token

    def discard(self, token: str) -> None:
        self._token = ""


@contextmanager
def _client(identity: Identity, now: datetime) -> Iterator[BarsClient]:
    """Raises OutsideRefused for whatever goes wrong on the way."""
    with _connections() as http:
        needed = identity.environment.needs_token
        tokens: TokenSource = _OneToken(_endpoint(identity, http)) if needed else NoToken()
        url = identity.environment.base_url(settings.BARS_SIMULATOR_URL)
        try:
            yield BarsClient(base_url=url, tokens_of=lambda _: tokens, http=http, clock=lambda: now).within(
                SECONDS
            )
        except TokenRefused:
            raise OutsideRefused("There is no token: get one first, at the step before.") from None
        except TransportError:
            raise OutsideRefused(
                "The API did not answer. Check that this machine may connect to it."
            ) from None


def read_receiver(
    identity: Identity,
    service_id: str,
    path: str,
    *,
    now: datetime,
    params: Sequence[tuple[str, str]] = (),
) -> Json:
    """What a service answers at a path, through the proxy; /MessageDefinition needs no `params`.

    Raises OutsideRefused.
    """
    context = OutgoingContext(
        request_id=uuid4(),
        correlation_id=uuid4(),
        target=ServiceID(service_id),
        organisation=identity.organisation,
        software=software_of(identity.organisation.ods_code),
    )
    if path == "/MessageDefinition":
        params = [("context", f"{SERVICE_ID_SYSTEM}|{service_id}")]
    with _client(identity, now) as client:
        answer = client.get(path, params=params, context=context)
    content = _content(answer)
    if not answer.is_success:
        raise OutsideRefused(_said(path, answer.status, content))
    return content


def slot_params(service_id: str, start: datetime, end: datetime) -> list[tuple[str, str]]:
    """Of a search for free times, as a sender asks (standard section 7)."""
    first, last = (each.astimezone(UTC).isoformat(timespec="seconds") for each in (start, end))
    return [
        ("Schedule.actor:HealthcareService", service_id),
        ("status", "free"),
        ("start", f"ge{first}"),
        ("start", f"le{last}"),
        *(("_include", each.value) for each in INCLUDES),
    ]


def _said(path: str, status: int, content: Json) -> str:
    issues = content.get("issue")
    issue = issues[0] if isinstance(issues, list) and issues and isinstance(issues[0], dict) else {}
    words = str(issue.get("diagnostics") or "")[:200].rstrip(".")
    hint = (
        " The proxy did not reach the receiver: is it running with the new certificate?"
        if status >= 502
        else ""
    )
    return f"{path} was answered with {status}{': ' + words if words else ''}.{hint}"


def enter_catalogue(
    identity: Identity, *, name: str, base_url: str, services: list[str], now: datetime
) -> None:
    """By the Endpoint Catalogue API: an Endpoint of ours, and what leads to it. Raises OutsideRefused."""
    owner = {"identifier": {"system": ODS_SYSTEM, "value": identity.organisation.ods_code}}
    endpoint = {
        "resourceType": "Endpoint",
        "identifier": [{"system": ODS_SYSTEM, "value": f"{identity.organisation.ods_code}-bars"}],
        "status": "active",
        "name": name,
        "managingOrganization": owner,
        "connectionType": {"system": _CONNECTION, "code": "hl7-fhir-rest"},
        "payloadType": [{"coding": [{"system": _PAYLOAD, "code": "bars"}]}],
        "address": base_url,
    }
    with _connections() as http:
        keep = _Catalogue(identity, http, now)
        known = keep.find(
            ENDPOINTS, "Endpoint.identifier", f"{ODS_SYSTEM}|{identity.organisation.ods_code}-bars"
        )
        kept = keep.put(ENDPOINTS, endpoint, known)
        for service_id in services:
            keep.put(
                SERVICES,
                {
                    "resourceType": "HealthcareService",
                    "identifier": [{"system": SERVICE_ID_SYSTEM, "value": service_id}],
                    "active": True,
                    "name": name,
                    "providedBy": owner,
                    "endpoint": [{"reference": f"Endpoint/{kept}"}],
                },
                keep.find(SERVICES, "HealthcareService.identifier", f"{SERVICE_ID_SYSTEM}|{service_id}"),
            )


class _Catalogue:
    """Writes: what is there is replaced, what is not is made."""

    def __init__(self, identity: Identity, http: Client, now: datetime) -> None:
        self._identity, self._http = identity, http
        self._base = identity.environment.base_url(settings.BARS_SIMULATOR_URL)
        try:
            self._token = _endpoint(identity, http).request(now=now).access_token
        except TokenRefused:
            raise OutsideRefused("There is no token: get one first, at the step before.") from None

    def find(self, path: str, parameter: str, value: str) -> str | None:
        """The id of the first that is found."""
        answer = self._send("GET", path, None, [(parameter, value)])
        entries = _content(answer).get("entry")
        found = entries[0] if isinstance(entries, list) and entries else {}
        return str(found["resource"]["id"]) if found else None

    def put(self, path: str, resource: Json, known: str | None) -> str:
        """Its id."""
        if known is None:
            answer = self._send("POST", path, resource)
        else:
            answer = self._send("PUT", f"{path}/{known}", {**resource, "id": known})
        content = _content(answer)
        if not answer.is_success:
            raise OutsideRefused(_said(path, answer.status, content))
        return str(content["id"])

    def _send(
        self, method: str, path: str, resource: Json | None, params: list[tuple[str, str]] | None = None
    ) -> Answer:
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Accept": CATALOGUE_ACCEPT,
            "Content-Type": CATALOGUE_ACCEPT,
            REQUEST_ID: str(uuid4()),
            CORRELATION_ID: str(uuid4()),
            ORGANISATION: encode_json(organisation_json(self._identity.organisation)),
        }
        body = None if resource is None else json.dumps(resource)
        try:
            return send(
                self._http,
                method,
                self._base + path,
                headers=headers,
                params=params or (),
                body=body,
                within_seconds=SECONDS,
            )
        except TransportError:
            raise OutsideRefused("The catalogue did not answer.") from None
