"""What a new request may begin with: a journey of ours, a case that we sent."""

from uuid import UUID

from bars_portal.accounts.acting import Acting
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.models import Journey
from bars_portal.patients.selectors import details_of, patients_of_journey
from bookings.models import Booking
from directory.models import HealthcareService
from referrals.models import MODELS, Case
from referrals.permissions import VIEW
from referrals.selectors.sent import standing_booking
from referrals.states import Category, Direction


def sent_case_for(acting: Acting, case_id: UUID) -> Case | None:
    """A referral or validation that the organisation sent; None when this person may not see it."""
    if not acting.may(VIEW[Direction.SENT]):
        return None
    for category in Category:
        rows = MODELS[category].objects.filter(
            pk=case_id, organisation=acting.organisation, direction=Direction.SENT
        )
        found: Case | None = rows.select_related("service__provider", "patient", "journey").first()
        if found is not None:
            return found
    return None


def known_details(
    *, booking: Booking | None, journey: Journey | None, case: Case | None
) -> PatientDetails | None:
    """Who a request is about that begins with something known; None when it begins with nothing."""
    if case is not None:
        return details_of(case.patient)
    if booking is not None:
        return details_of(booking.patient)
    patient = patients_of_journey(journey).first() if journey else None
    return details_of(patient) if patient else None


def linked_booking(
    service: HealthcareService, *, booking: Booking | None, journey: Journey | None
) -> Booking | None:
    """The booking of the case at the service: what a request there is linked with."""
    if booking is not None and booking.service_id == service.pk:
        return booking
    known = booking.journey if booking else journey
    return standing_booking(known, service) if known else None
