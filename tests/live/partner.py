"""A partner's system, written from the standard alone: it shares no code with the portal."""

import base64
import json
import ssl
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import jwt

from tests.stack import Stack

SERVICE_SYSTEM = "https://fhir.nhs.uk/Id/dos-service-id"
ERROR_SYSTEM = "https://fhir.nhs.uk/CodeSystem/http-error-codes"
PROXY_PATH = "/booking-and-referral/FHIR/R4"
EMERGENCY, HUB = "2000099001", "2000099999"
INCLUDES = ("Slot:schedule", "Schedule:actor:Practitioner", "Schedule:actor:HealthcareService")
Resource = dict[str, Any]
Params = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class FreeSlot:
    """A Slot as GET /Slot gave it."""

    service: str
    resource: Resource = field(repr=False)

    @property
    def id(self) -> str:
        return str(self.resource["id"])

    @property
    def start(self) -> str:
        return str(self.resource["start"])

    @property
    def end(self) -> str:
        return str(self.resource["end"])


@dataclass(frozen=True)
class Partner:
    """Speaks BaRS: straight to the receiver over mutual TLS, or through the proxy with a token."""

    http: httpx.Client
    token: str = ""

    def get(
        self,
        path: str,
        params: Params = (),
        *,
        service: str = EMERGENCY,
        headers: Mapping[str, str | None] | None = None,
    ) -> httpx.Response:
        return self.call("GET", path, params=params, service=service, headers=headers)

    def post(
        self,
        message: Resource | bytes,
        *,
        ids: tuple[str, str] | None = None,
        service: str = EMERGENCY,
        headers: Mapping[str, str | None] | None = None,
    ) -> httpx.Response:
        """A message to `$process-message`; new ids unless they are given."""
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        given: dict[str, str | None] = {"Content-Type": "application/fhir+json"}
        if ids:
            given |= {"X-Request-ID": ids[0], "X-Correlation-ID": ids[1]}
        return self.call(
            "POST", "/$process-message", body=body, service=service, headers=given | dict(headers or {})
        )

    def call(
        self,
        verb: str,
        path: str,
        *,
        params: Params = (),
        body: bytes | None = None,
        service: str = EMERGENCY,
        headers: Mapping[str, str | None] | None = None,
    ) -> httpx.Response:
        """Any request; a header given as None is left out."""
        usual: dict[str, str | None] = dict(bars_headers(service))
        if self.token:
            usual["Authorization"] = f"Bearer {self.token}"
        sent = {name: value for name, value in (usual | dict(headers or {})).items() if value is not None}
        return self.http.request(verb, path, params=list(params) or None, content=body, headers=sent)

    def slots(
        self, *, service: str = EMERGENCY, start: datetime, end: datetime, status: str = "free"
    ) -> list[FreeSlot]:
        params = slot_params(service, start, end, status)
        answer = self.get("/Slot", params, service=service)
        assert answer.status_code == 200, answer.text
        found = [entry["resource"] for entry in answer.json().get("entry", [])]
        return [FreeSlot(service, each) for each in found if each["resourceType"] == "Slot"]

    def offers(self, slot: FreeSlot, status: str = "free") -> bool:
        """Whether a search around the slot's own time shows it with this status."""
        start, end = datetime.fromisoformat(slot.start), datetime.fromisoformat(slot.end)
        found = self.slots(service=slot.service, start=start, end=end, status=status)
        return slot.id in {each.id for each in found}


def new_ids() -> tuple[str, str]:
    """X-Request-ID and X-Correlation-ID."""
    return str(uuid4()), str(uuid4())


def bars_headers(service: str) -> dict[str, str]:
    """The headers of every request (standard section 3), new ids among them."""
    request_id, correlation_id = new_ids()
    organisation = {
        "resourceType": "Organization",
        "identifier": [{"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "A1001"}],
        "name": "Partner 111",
    }
    software = {
        "resourceType": "Device",
        "identifier": [{"system": "https://partner.example/Id/device-identifier", "value": "PARTNER-1"}],
        "deviceName": {"name": "Partner", "type": "manufacturer-name"},
        "version": {"value": "1.0.0"},
    }
    return {
        "X-Request-ID": request_id,
        "X-Correlation-ID": correlation_id,
        "NHSD-Target-Identifier": encoded({"system": SERVICE_SYSTEM, "value": service}),
        "NHSD-End-User-Organisation": encoded(organisation),
        "NHSD-Requesting-Software": encoded(software),
        "Accept": "application/fhir+json; version=1.1.0",
    }


def encoded(value: Resource) -> str:
    return base64.b64encode(json.dumps(value, indent=1).encode()).decode()


def slot_params(service: str, start: datetime, end: datetime, status: str = "free") -> Params:
    return [
        ("Schedule.actor:HealthcareService", service),
        ("status", status),
        ("start", f"ge{start.isoformat()}"),
        ("start", f"le{end.isoformat()}"),
        *(("_include", each) for each in INCLUDES),
    ]


def mutual_tls(stack: Stack, certificate: str | None = "proxy-client") -> ssl.SSLContext:
    """Trusts the demo's root and presents the named certificate of var/pki."""
    context = ssl.create_default_context(cafile=str(stack.pki.ca_chain))
    if certificate is not None:
        context.load_cert_chain(stack.pki.certificate(certificate), stack.pki.key(certificate))
    return context


def direct_client(stack: Stack, context: ssl.SSLContext) -> httpx.Client:
    return httpx.Client(base_url=stack.receiver, verify=context, trust_env=False, timeout=20)


def proxy_client(stack: Stack) -> httpx.Client:
    return httpx.Client(base_url=f"{stack.simulator}{PROXY_PATH}", trust_env=False, timeout=20)


def fetch_token(stack: Stack) -> str:
    """A token for the application of var/demo.env (standard section 2)."""
    known = demo_env(stack)
    url = f"{stack.simulator}/oauth2/token"
    claims = {
        "iss": known["BARS_API_KEY"],
        "sub": known["BARS_API_KEY"],
        "aud": url,
        "jti": str(uuid4()),
        "exp": int((datetime.now(UTC) + timedelta(minutes=4)).timestamp()),
    }
    key = Path(known["BARS_PRIVATE_KEY_FILE"]).read_text()
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jwt.encode(claims, key, "RS512", headers={"kid": known["BARS_KEY_ID"]}),
    }
    with httpx.Client(trust_env=False, timeout=30) as http:
        answer = http.post(url, data=form)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def demo_env(stack: Stack) -> dict[str, str]:
    lines = (stack.var / "demo.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def outcome_of(answer: httpx.Response, *, hidden: Iterable[str] = ()) -> tuple[int, str, str]:
    """Status, error code and issue code of an OperationOutcome that is all that the standard asks for.

    `hidden` are values of the request that it must not repeat.
    """
    told = answer.json()
    assert answer.headers["content-type"].split(";")[0] == "application/fhir+json"
    assert told["resourceType"] == "OperationOutcome"
    assert UUID(told["id"])
    for issue in told["issue"]:
        (coding,) = issue["details"]["coding"]
        assert issue["severity"] == "error"
        assert coding["system"] == ERROR_SYSTEM
        assert issue["diagnostics"].strip()
    first = told["issue"][0]
    (coding,) = first["details"]["coding"]
    assert coding["display"] == f"{answer.status_code} - {coding['code']}"
    for value in hidden:
        assert value not in answer.text
    return answer.status_code, coding["code"], first["code"]


def assert_ids_echoed(answer: httpx.Response) -> None:
    for name in ("X-Request-ID", "X-Correlation-ID"):
        assert answer.headers.get(name) == answer.request.headers.get(name), name


def arm(stack: Stack, service: str, fault: str, method: str = "POST") -> None:
    """A fault drill of the simulator, for the next request to the service."""
    drill = {"service": service, "fault": fault, "times": 1, "method": method}
    with httpx.Client(trust_env=False, timeout=30) as http:
        http.post(f"{stack.simulator}/simulator/faults", json=drill).raise_for_status()


def wait_until(done: Any, *, seconds: float = 60.0) -> None:
    """Raises TimeoutError when `done()` stays false."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(0.05)
