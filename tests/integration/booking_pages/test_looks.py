"""Whoever reads about a patient leaves a trace, whichever page it was."""

from django.urls import reverse

from bars_portal.audit.models import AuditEvent
from bars_portal.patients.models import Journey
from bookings.models import Booking, BookingDraft
from tests.factories.patients import make_patient
from tests.integration.booking_pages.conftest import Office


def looks_at(subject: Booking | Journey) -> int:
    return AuditEvent.objects.filter(action__contains=".view_", subject_id=str(subject.pk)).count()


def test_cancelling_begins_with_a_look(office: Office, booking: Booking) -> None:
    office.client.get(reverse("bookings:cancel", args=[booking.pk]))
    assert looks_at(booking) == 1


def test_the_patient_of_a_booking_is_taken_over_to_a_new_time(office: Office, booking: Booking) -> None:
    office.client.post(f"{office.times_page}?instead={booking.pk}", {"slot": office.chosen(1)})
    draft = BookingDraft.objects.get()
    assert looks_at(booking) == 1
    assert office.client.get(reverse("bookings:rebook-confirm", args=[draft.pk])).status_code == 200
    assert looks_at(booking) == 2


def test_the_patient_of_a_case_is_taken_over_to_a_time(office: Office) -> None:
    journey = make_patient(organisation=office.acting.organisation).journey
    office.client.post(f"{office.times_page}?journey={journey.pk}", {"slot": office.chosen()})
    assert BookingDraft.objects.get().patient_data["family_name"]
    assert looks_at(journey) == 1
