"""Requests that we sent, their drafts, and the bookings that they go with."""

from dataclasses import replace
from uuid import UUID

from django.db.models import Q, QuerySet

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import Organisation, User
from bars_portal.correspondence.states import Direction
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.models import Journey
from bars_portal.patients.selectors import details_of, patients_of_journey
from bookings.models import Booking
from bookings.ports import TimeFrame
from bookings.states import BookingStatus
from directory.models import HealthcareService
from referrals.cases.models import MODELS, Case, Referral
from referrals.cases.selectors import of_either_kind, sent_in
from referrals.cases.states import CaseStatus, Category
from referrals.sending.models import SENT, RequestDraft, Rereferral

_ABOUT = ("service__provider", "booking", "journey", "replaces", "updates_referral", "updates_validation")
# The receiver has it, and it stands.
_STANDING = (CaseStatus.SENT, CaseStatus.ACCEPTED, CaseStatus.IN_PROGRESS)


def standing_booking(journey: Journey, service: HealthcareService) -> Booking | None:
    """The newest booking of the case at the service that is booked and whose id there is known."""
    rows = Booking.objects.filter(
        journey=journey, service=service, direction=Direction.SENT, status=BookingStatus.BOOKED
    )
    return rows.exclude(remote_id="").order_by("-created_at").first()


def standing_referral_id(journey: Journey, service: HealthcareService) -> str | None:
    """The receiver's id of the referral that a new booking rests on."""
    found = _standing_referral(journey, service)
    return found.remote_id if found else None


def standing_use_case(journey: Journey, service: HealthcareService) -> str:
    found = _standing_referral(journey, service)
    return found.use_case if found else ""


def _standing_referral(journey: Journey, service: HealthcareService) -> Referral | None:
    """The newest of the case that stands at the service.

    Never the one of an appointment that was made before (guide, Application 1: rebook).
    """
    sent = sent_in(journey)
    standing = [each for each in sent.referrals if each.status in _STANDING and each.remote_id]
    return replace(sent, referrals=standing).referral_for(None, service.pk)


def time_frame_of(journey: Journey) -> TimeFrame | None:
    """In what time the case is to be seen, by its newest request that stands and says so."""
    said = Q(breach_at__isnull=False) | Q(occurrence_start__isnull=False)
    newest = [
        found
        for category in Category
        if (
            found := MODELS[category]
            .objects.filter(said, journey=journey, direction=Direction.SENT, status__in=_STANDING)
            .order_by("-created_at")
            .first()
        )
    ]
    case = max(newest, key=lambda each: each.created_at, default=None)
    return TimeFrame(case.occurrence_start, case.breach_at) if case else None


def case_of_draft(draft_id: UUID) -> Case | None:
    """What was made from a draft that is used up."""
    return of_either_kind({"draft_id": draft_id})


def request_drafts_of(acting: Acting) -> QuerySet[RequestDraft]:
    """The person's own drafts that are not sent, newest first."""
    rows = unsent_of(acting.user, acting.organisation)
    return rows.select_related(*_ABOUT).order_by("-updated_at")


def unsent_of(person: User, organisation: Organisation) -> QuerySet[RequestDraft]:
    return RequestDraft.objects.filter(user=person, organisation=organisation).exclude(typed__has_key=SENT)


def unsent_update_of(case: Case) -> RequestDraft | None:
    """The newest update of the case that somebody here has begun and not sent."""
    owner = "updates_referral" if isinstance(case, Referral) else "updates_validation"
    rows = RequestDraft.objects.filter(organisation=case.organisation_id, **{owner: case})
    return rows.exclude(typed__has_key=SENT).select_related("user").order_by("-updated_at").first()


def request_draft_for(acting: Acting, draft_id: UUID) -> RequestDraft | None:
    """The person's own draft, for the organisation that they act for; None otherwise."""
    rows = RequestDraft.objects.filter(pk=draft_id, user=acting.user, organisation=acting.organisation)
    # Most are about neither booking nor case: joining their two hundred columns took a third of a page.
    return rows.select_related("service__provider", "journey").first()


def rereferral_of(referral: Referral) -> Rereferral | None:
    """The plan that replaces this referral by another, done or waiting."""
    return Rereferral.objects.filter(revoked=referral).select_related("made").first()


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
