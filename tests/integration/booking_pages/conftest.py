"""A clinician at a desk, a hosted service with free times, and the network between them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import Organisation
from bars_portal.accounts.permissions import Role
from bars_portal.exchange.gateway import client as gateway
from bars_portal.exchange.models import OutboundMessage
from bars_portal.patients.models import Journey, Patient
from bookings.models import Booking, BookingDraft, Rebooking, Slot
from bookings.services.requesting import open_draft, save_draft_patient
from bookings.services.settling import wait_for_outcome
from bookings.slots import search_slots
from directory.models import HealthcareService
from directory.remote import sender_identity
from tests.factories.accounts import make_acting
from tests.factories.bookings import make_schedule, make_slot
from tests.factories.directory import make_service
from tests.integration.bookings.loopback import Loopback
from tests.integration.wire import ask, connected
from tests.worlds import Kept, Worlds

# What a page must not write before it has been understood.
WATCHED: tuple[type[Model], ...] = (Booking, BookingDraft, Patient, Journey, Rebooking, OutboundMessage)
ANSWERS = {
    "family_name": "Quill",
    "given_names": "Ada Mary",
    "title": "Mrs",
    "birth_date-day": "14",
    "birth_date-month": "7",
    "birth_date-year": "1945",
    "gender": "female",
    "nhs_number": "9449306621",
    "traced_in": "PDS",
    "address_line_1": "1 Sample Row",
    "address_line_2": "",
    "town": "Leeds",
    "postcode": "LS1 4AP",
    "call_back": "patient",
    "contact_relationship": "",
    "contact_given_names": "",
    "contact_family_name": "",
    "phone": "07700 900123",
    "second_phone": "",
    "email": "ada@example.org",
}


def client_of(acting: Acting) -> Client:
    client = Client()
    client.force_login(acting.user)
    return client


def row_counts() -> dict[str, int]:
    counts = [f"SELECT '{model.__name__}', count(*) FROM {model._meta.db_table}" for model in WATCHED]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(counts))
        return dict(cursor.fetchall())


@dataclass
class Office:
    """One clinician's desk, the service they book with, and its slots."""

    acting: Acting
    client: Client
    service: HealthcareService
    slots: list[Slot]
    network: Loopback

    @property
    def times_page(self) -> str:
        return reverse("bookings:slots", args=[self.service.service_id])

    def chosen(self, position: int = 0) -> str:
        """What the button of a free time sends."""
        slot = self.slots[position]
        return f"{slot.pk}|{slot.start.isoformat()}"

    def draft(self, *, answers: dict[str, str] | None = None, acting: Acting | None = None) -> BookingDraft:
        """A time chosen; with `answers`, also a patient typed."""
        who, now = acting or self.acting, self.network.now
        found = search_slots(
            self.network.client,
            service=self.service,
            start=now,
            end=now + timedelta(days=3),
            sender=sender_identity(who),
            now=now,
        )
        draft = open_draft(acting=who, service=self.service, use_case="a1t2", chosen=found.offers[0], now=now)
        return save_draft_patient(draft=draft, patient_data=answers or {}, now=now)

    def booked(self) -> Booking:
        """Booked, all the way through the wire."""
        draft = self.draft(answers=ANSWERS)
        self.client.post(reverse("bookings:check", args=[draft.pk]))
        self.network.deliver_all()
        return Booking.objects.get(draft_id=draft.pk)


@pytest.fixture
def network(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Loopback:
    """The process's own client, with our receiver at the other end instead of a socket."""
    settings.BARS = {**django_settings.BARS, "SERVICE_ID": "2000099090"}
    settings.CELERY_TASK_ALWAYS_EAGER = False
    network = Loopback(now=datetime.now(UTC))
    monkeypatch.setattr(gateway._process, "config", dict(settings.BARS))
    monkeypatch.setattr(gateway._process, "client", network.client)
    # The tests deliver the messages themselves: there is nothing to wait for.
    assert wait_for_outcome.__kwdefaults__ is not None
    monkeypatch.setitem(wait_for_outcome.__kwdefaults__, "patience", 0.0)
    return network


def make_office(network: Loopback) -> Office:
    service = make_service(accepted_use_cases=["a1t2", "a1t4"])
    schedule = make_schedule(service=service)
    tomorrow = datetime.combine(network.now.date() + timedelta(days=1), time(10), UTC)
    slots = [make_slot(schedule=schedule, start=tomorrow + timedelta(minutes=15 * n)) for n in range(3)]
    acting = make_acting()
    return Office(acting, client_of(acting), service, slots, network)


@pytest.fixture(scope="module")
def kept_office(worlds: Worlds) -> Kept[Office]:
    def make() -> Office:
        office = make_office(Loopback(now=datetime.now(UTC)))
        ask(office.service, by=office.acting.organisation)
        return office

    return worlds.keep("kept_office", make)


@pytest.fixture
def office(kept_office: Kept[Office], db: None, network: Loopback) -> Office:
    office = kept_office.copy()
    office.network = network
    return office


@pytest.fixture(scope="module")
def kept_booking(worlds: Worlds, kept_office: Kept[Office]) -> Kept[Booking]:
    def make() -> Booking:
        with connected() as network:
            return replace(kept_office.original(), network=network).booked()

    return worlds.keep("kept_booking", make)


@pytest.fixture
def booking(kept_booking: Kept[Booking], office: Office) -> Booking:
    """Of the office, as `booked()` makes one more."""
    return kept_booking.copy()


@pytest.fixture
def sign_in_as(db: None) -> Callable[..., Client]:
    def sign_in(role: Role, organisation: Organisation | None = None) -> Client:
        return client_of(make_acting(role=role, organisation=organisation))

    return sign_in
