"""An application of one organisation, a hosted service with free times, and the network between them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from bars_portal.api import usage
from bars_portal.api.models import Application
from bars_portal.api.operations import Scope
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.shares import Shares
from bookings.models import Slot
from directory.models import HealthcareService
from referrals.api.content import content_json
from referrals.forms.base import FormContext
from referrals.parts.applications import application_of
from tests.factories.api import bearer, make_application
from tests.factories.bookings import make_schedule, make_slot
from tests.factories.contents import make_content
from tests.factories.referrals import make_hub
from tests.integration.booking_pages.conftest import make_office, network
from tests.integration.bookings.loopback import Loopback
from tests.integration.referrals.sending import OWN_SERVICE_ID
from tests.integration.wire import ask
from tests.worlds import Kept, Worlds

__all__ = ["network"]

DOCTOR = (
    '{"name": "Dr Ann Lee", "identifier": {"system": "https://hospital.example/staff", "value": "77"},'
    ' "role": "clinician", "clinical": true}'
)
CLERK = DOCTOR.replace("clinician", "clerk").replace("true", "false")
NOT_CLINICAL = DOCTOR.replace("true", "false")
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


@pytest.fixture(scope="module")
def kept_world(worlds: Worlds, kept_calls: Kept[Calls]) -> Kept[World]:
    def make() -> World:
        office = make_office(Loopback(now=datetime.now(UTC)))
        ask(office.service, by=kept_calls.original().application.organisation)
        return World(kept_calls.original(), office.service, office.slots, office.network)

    return worlds.keep("kept_world", make)


@pytest.fixture
def world(kept_world: Kept[World], db: None, network: Loopback) -> World:
    world = kept_world.copy()
    world.network = network
    return world


@pytest.fixture(autouse=True)
def _full_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "SHARES", Shares())


@pytest.fixture(scope="module")
def kept_calls(worlds: Worlds) -> Kept[Calls]:
    return worlds.keep("kept_calls", lambda: Calls(make_application()))


@pytest.fixture
def calls(kept_calls: Kept[Calls], db: None) -> Calls:
    return kept_calls.copy()


@dataclass
class Hub:
    """A service that takes every request, and an application of another organisation that refers to it."""

    calls: Calls
    service: HealthcareService
    network: Loopback

    def body(self, use_case: UseCase = UseCase.A1T1, **changes: Any) -> dict[str, Any]:
        """Everything that the use case can hold."""
        content = stated(use_case)
        service = {"service": self.service.service_id, "use_case": use_case.value}
        return {**service, "patient": PATIENT, "content": content, **changes}

    def post(self, path: str, body: Any, *, person: str = DOCTOR, **headers: str) -> Any:
        return self.calls.post(path, body, x_acting_user=person, **headers)

    def sent(self, use_case: UseCase = UseCase.A1T1, **changes: Any) -> Any:
        """As it stands once the service has answered."""
        kind = application_of(use_case).category.value
        made = self.post(f"{kind}s", self.body(use_case, **changes))
        assert made.status_code == 202, made.content
        return self.arrived(made)

    def arrived(self, answer: Any) -> Any:
        self.network.deliver_all()
        return self.read(answer).json()

    def read(self, answer: Any) -> Any:
        return self.calls.get(answer["Location"].split("/api/v1/")[1], x_acting_user=DOCTOR)


def stated(use_case: UseCase) -> dict[str, Any]:
    content = make_content(use_case)
    found = content_json(content, FormContext(use_case, datetime.now(UTC)))
    if "times" in found:
        found["times"] = {**found["times"], "end": "2199-01-01T10:00:00+00:00"}
    return found


@pytest.fixture(scope="module")
def kept_hub(worlds: Worlds, kept_calls: Kept[Calls]) -> Kept[Hub]:
    def make() -> Hub:
        calls = kept_calls.original()
        service = make_hub(accepted_use_cases=[each.value for each in UseCase])
        make_hub(service_id=OWN_SERVICE_ID, provider=calls.application.organisation, accepted_use_cases=[])
        ask(service, by=calls.application.organisation)
        return Hub(calls, service, Loopback())

    return worlds.keep("kept_hub", make)


@pytest.fixture
def hub(kept_hub: Kept[Hub], db: None, network: Loopback) -> Hub:
    hub = kept_hub.copy()
    hub.network = network
    return hub


@dataclass
class Diary:
    """Times of the hub's service, and a booking of one of them."""

    hub: Hub

    def times(self) -> list[str]:
        found = self.hub.calls.get(f"services/{self.hub.service.service_id}/slots").json()
        return [each["id"] for each in found["slots"]]

    def booked(self, **more: Any) -> Any:
        body = {"slot": self.times()[0], "use_case": "a1t1", "patient": PATIENT, **more}
        made = self.hub.calls.post("bookings", body)
        assert made.status_code == 202, made.content
        return self.hub.arrived(made)


@pytest.fixture(scope="module")
def kept_diary(worlds: Worlds, kept_hub: Kept[Hub]) -> Kept[Diary]:
    def make() -> Diary:
        hub = kept_hub.original()
        schedule, tomorrow = make_schedule(service=hub.service), datetime.now(UTC).date() + timedelta(days=1)
        for minutes in (0, 15, 30):
            make_slot(schedule=schedule, start=datetime.combine(tomorrow, time(10, minutes), UTC))
        return Diary(hub)

    return worlds.keep("kept_diary", make)


@pytest.fixture
def diary(kept_diary: Kept[Diary], hub: Hub) -> Diary:
    return kept_diary.copy()
