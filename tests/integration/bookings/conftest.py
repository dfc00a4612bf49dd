"""A sending organisation, a hosted service with a slot, and the network between them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings

from bars_portal.accounts.acting import Acting
from bars_portal.patients.details import PatientDetails
from bookings.mapping.offers import OfferedSlot
from bookings.models import Booking, BookingDraft, Slot
from bookings.services.requesting import open_draft, request_booking
from bookings.slots import search_slots
from directory.models import HealthcareService
from directory.remote import sender_identity
from tests.factories.accounts import make_acting
from tests.factories.bookings import NOW, TOMORROW, make_schedule, make_slot
from tests.factories.directory import make_service
from tests.factories.patients import DETAILS
from tests.integration.bookings.loopback import Loopback
from tests.worlds import Kept, Worlds

OWN_SERVICE_ID = "2000099090"


@pytest.fixture(autouse=True)
def _own_address(settings: Any) -> None:
    settings.BARS = {**django_settings.BARS, "SERVICE_ID": OWN_SERVICE_ID}
    # Messages are delivered by the tests themselves.
    settings.CELERY_TASK_ALWAYS_EAGER = False


@pytest.fixture
def network() -> Loopback:
    return Loopback()


@dataclass
class Desk:
    """Everything a person at the sending side can do, and the slots at the other."""

    acting: Acting
    service: HealthcareService
    slots: list[Slot]
    network: Loopback

    def offers(self) -> list[OfferedSlot]:
        return search_slots(
            self.network.client,
            service=self.service,
            start=TOMORROW - timedelta(hours=1),
            end=TOMORROW + timedelta(hours=4),
            sender=sender_identity(self.acting),
            now=NOW,
        ).offers

    def draft(self, *, position: int = 0, replaces: Booking | None = None) -> BookingDraft:
        return open_draft(
            acting=self.acting,
            service=self.service,
            use_case="a1t2",
            chosen=self.offers()[position],
            now=NOW,
            replaces=replaces,
        )

    def request(self, *, draft: BookingDraft | None = None, details: PatientDetails = DETAILS) -> Booking:
        return request_booking(draft=draft or self.draft(), details=details, acting=self.acting, now=NOW)

    def book(self) -> Booking:
        """Booked, all the way through."""
        booking = self.request()
        self.network.deliver_all()
        booking.refresh_from_db()
        return booking


def make_desk() -> Desk:
    service = make_service()
    schedule = make_schedule(
        service=service,
        delivery_channel="Telephone",
        practitioner_prefix="Dr",
        practitioner_given="Joe",
        practitioner_family="Bloggs",
        practitioner_gender="male",
        practitioner_role="Doctor",
        practitioner_role_code="doctor",
        location_name="Riverside, ground floor",
    )
    slots = [make_slot(schedule=schedule, start=TOMORROW + timedelta(minutes=15 * n)) for n in range(3)]
    return Desk(make_acting(), service, slots, Loopback())


@pytest.fixture(scope="module")
def kept_desk(worlds: Worlds) -> Kept[Desk]:
    return worlds.keep("kept_desk", make_desk)


@pytest.fixture
def desk(kept_desk: Kept[Desk], db: None, network: Loopback) -> Desk:
    desk = kept_desk.copy()
    desk.network = network
    return desk
