"""Calling the receiver as the BaRS proxy does, in this process; and what the database holds."""

import base64
import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import trustme
from django.db.models import Count
from django.http import HttpResponse
from django.test import Client

from bars_portal.exchange.fhir.rules import HostedService
from bars_portal.patients.models import Contact, Journey, Patient
from bookings.models import Booking, BookingStatusChange, Slot
from directory.models import HealthcareService
from tests.factories.accounts import make_organisation
from tests.factories.bookings import make_schedule, make_slot
from tests.factories.directory import make_service
from tests.unit.exchange_fhir.factory import SERVICE, booking, cancel, resource

PROXY, WRONG_NAME = "int.api.service.nhs.uk", "somebody-else.example.nhs.uk"
SENDER_ODS = "RX111"
MESSAGE = "/FHIR/R4/$process-message"
FHIR = "application/fhir+json"
Json = dict[str, Any]


def encoded(value: object) -> str:
    """An NHSD header's value."""
    return base64.b64encode(json.dumps(value).encode()).decode()


def organisation(ods_code: str = SENDER_ODS) -> str:
    system = "https://fhir.nhs.uk/Id/ods-organization-code"
    identifier = [{"system": system, "value": ods_code}]
    return encoded({"resourceType": "Organization", "identifier": identifier, "name": "A 111 provider"})


def target(value: str = SERVICE.service_id.value) -> str:
    return encoded({"system": "https://fhir.nhs.uk/Id/dos-service-id", "value": value})


@cache
def certificate(name: str) -> str:
    """A client certificate as nginx passes it in its header."""
    issued = trustme.CA().issue_cert(name)
    return quote(issued.cert_chain_pems[0].bytes().decode())


def headers(peer: str = PROXY, **changes: str | None) -> dict[str, str]:
    """What a complete call carries; None leaves a header out. `X_Request_ID` names X-Request-ID."""
    complete: dict[str, str | None] = {
        "X-SSL-Client-Verify": "SUCCESS",
        "X-SSL-Client-Cert": certificate(peer),
        "X-Request-ID": str(uuid4()),
        "X-Correlation-ID": str(uuid4()),
        "NHSD-Target-Identifier": target(),
        "NHSD-End-User-Organisation": organisation(),
        "Accept": f"{FHIR}; version=1.1.0",
        "Authorization": "Bearer a-secret-token",
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    return {name: value for name, value in complete.items() if value is not None}


@dataclass
class Receiver:
    """One way in, as bytes; `sent` are the headers of the last call."""

    client: Client
    sent: dict[str, str] = field(default_factory=dict)

    def post(
        self, body: bytes, content_type: str = FHIR, path: str = MESSAGE, **changes: Any
    ) -> HttpResponse:
        self.sent = headers(**changes)
        return self.client.post(path, body, content_type=content_type, headers=self.sent)  # type: ignore[return-value]  # the client's own subclass

    def send(self, bundle: Json, **changes: Any) -> HttpResponse:
        return self.post(json.dumps(bundle).encode(), **changes)

    def get(self, path: str, **changes: Any) -> HttpResponse:
        self.sent = headers(**changes)
        return self.client.get(f"/FHIR/R4{path}", headers=self.sent)  # type: ignore[return-value]  # the client's own subclass


def fresh(bundle: Json | None = None) -> Json:
    """A new booking (or this message) with a Bundle.id of its own."""
    return {**(bundle or booking()), "id": str(uuid4())}


def cancelling() -> Json:
    return fresh(cancel())


def for_slot(bundle: Json, slot: Slot) -> Json:
    """The same message about another slot."""
    from bars_portal.exchange.fhir.timestamps import format_instant

    for entry in bundle["entry"]:
        each = entry["resource"]
        if each["resourceType"] in ("Appointment", "Slot"):
            each["start"], each["end"] = format_instant(slot.start), format_instant(slot.end)
        if each["resourceType"] == "Slot":
            each["id"] = str(slot.pk)
    return bundle


def hosted(accepts: HostedService = SERVICE) -> Slot:
    """The service and the free slot that the factory's messages are about."""
    from bars_portal.exchange.fhir.timestamps import parse_instant

    service = make_service(
        service_id=accepts.service_id.value,
        provider=make_organisation(ods_code=accepts.provider_ods),
        accepted_use_cases=sorted(accepts.accepted_use_cases),
    )
    wanted = resource(booking(), 3)
    return make_slot(
        schedule=make_schedule(service=service), id=wanted["id"], start=parse_instant(wanted["start"])
    )


def outcome(response: HttpResponse) -> tuple[int, str, str]:
    """Status, details code and issue code of a refusal."""
    first = issue_of(response)
    coding = first["details"]["coding"][0]
    assert coding["system"] == "https://fhir.nhs.uk/CodeSystem/http-error-codes"
    assert coding["display"] == f"{response.status_code} - {coding['code']}"
    return response.status_code, coding["code"], first["code"]


def issue_of(response: HttpResponse) -> Json:
    body: Json = json.loads(response.content)
    assert body["resourceType"] == "OperationOutcome", body
    first: Json = body["issue"][0]
    return first


def state_of_the_world() -> tuple[Any, ...]:
    """Everything that a message may change, apart from the message log and the trail."""
    counted = (Booking, BookingStatusChange, Patient, Contact, Journey, HealthcareService)
    slots = Slot.objects.order_by("status").values_list("status").annotate(Count("pk"))
    bookings = Booking.objects.order_by("pk").values_list("pk", "status", "version", "updated_at")
    return (*(model.objects.count() for model in counted), list(slots), list(bookings))
