"""An application of one organisation, a hosted service with free times, and the network between them."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from bars_portal.api import throttling
from bars_portal.api.models import Application
from bars_portal.api.scopes import Scope
from bars_portal.shares import Shares
from bookings.models import Slot
from directory.models import HealthcareService
from tests.factories.api import bearer, make_application
from tests.integration.booking_pages.conftest import make_office, network
from tests.integration.bookings.loopback import Loopback

__all__ = ["network"]

DOCTOR = (
    '{"name": "Dr Ann Lee", "identifier": {"system": "https://hospital.example/staff", "value": "77"},'
    ' "role": "clinician", "clinical": true}'
)
PATIENT = {
    "family_name": "Quill",
    "given_names": "Ada Mary",
    "birth_date": "1945-07-14",
    "gender": "female",
    "nhs_number": "9449306621",
    "traced_in": "PDS",
    "address_line_1": "1 Sample Row",
    "town": "Leeds",
    "postcode": "LS1 4AP",
    "phone": "07700 900123",
}


@dataclass
class Calls:
    """Requests of one application, with a token that has the scopes."""

    application: Application
    scopes: tuple[Scope, ...] = tuple(Scope)
    client: Client = field(default_factory=Client)
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.headers = {**bearer(self.application, self.scopes), **self.headers}

    def get(self, path: str, params: Any = None, **headers: str) -> Any:
        return self.client.get(f"/api/v1/{path}", params, headers={**self.headers, **named(headers)})

    def post(self, path: str, body: Any, *, key: str | None = None, **headers: str) -> Any:
        sent = {"Idempotency-Key": key or str(uuid4()), **self.headers, **named(headers)}
        return self.client.post(f"/api/v1/{path}", body, content_type="application/json", headers=sent)


def named(headers: dict[str, str]) -> dict[str, str]:
    """if_match -> If-Match"""
    return {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass
class World:
    """What an application books at: a service of another organisation, three times of tomorrow, the wire."""

    calls: Calls
    service: HealthcareService
    slots: list[Slot]
    network: Loopback

    def slot_ids(self) -> list[str]:
        """As a search gives them."""
        found = self.calls.get(f"services/{self.service.service_id}/slots").json()
        assert found["problem"] is None, found
        return [each["id"] for each in found["slots"]]

    def book(self, position: int = 0, **headers: str) -> Any:
        body = {"slot": self.slot_ids()[position], "patient": PATIENT}
        return self.calls.post("bookings", body, **headers)

    def booked(self, position: int = 0) -> Any:
        """The booking as it stands once the service has answered."""
        made = self.book(position)
        assert made.status_code == 202, made.content
        self.network.deliver_all()
        return self.calls.get(f"bookings/{made.json()['id']}").json()


@pytest.fixture
def world(calls: Calls, network: Loopback) -> World:
    office = make_office(network)
    return World(calls, office.service, office.slots, network)


@pytest.fixture(autouse=True)
def _full_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "SHARES", Shares())


@pytest.fixture
def calls() -> Calls:
    return Calls(make_application())
