"""Asking another service to take a patient over, or to validate a case."""

from dataclasses import replace
from datetime import datetime
from typing import cast
from uuid import UUID, uuid4

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import Organisation
from bars_portal.correspondence.states import Direction as BookingDirection
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.models import Journey, Patient
from bars_portal.patients.selectors import details_of, patients_of_journey
from bars_portal.patients.services import create_patient, open_journey
from bookings.models import Booking
from directory.models import HealthcareService
from directory.remote import sender_identity
from referrals import policies, selectors
from referrals.answer_policies import check_can_refer_onward
from referrals.content import ContentInvalid, RequestContent, check_parts
from referrals.models import Case, Referral, RequestDraft, ValidationCase
from referrals.services.drafts import use_up
from referrals.services.issuing import issue_request
from referrals.states import Category


@transaction.atomic
def request_referral(
    *,
    content: RequestContent,
    details: PatientDetails,
    service: HealthcareService,
    acting: Acting,
    now: datetime,
    booking: Booking | None = None,
    journey: Journey | None = None,
    draft: RequestDraft | None = None,
) -> Referral:
    """Refer a patient, whose case may have begun with `booking` or with `journey`.

    A booking of the case at the same service is named in the referral. With `draft`, a second press returns
    the first referral. Raises PolicyRefused and ContentInvalid.
    """
    made = _request(Category.REFERRAL, content, details, service, acting, now, booking, journey, draft)
    return cast(Referral, made)


@transaction.atomic
def request_validation(
    *,
    content: RequestContent,
    details: PatientDetails,
    service: HealthcareService,
    acting: Acting,
    now: datetime,
    journey: Journey | None = None,
    draft: RequestDraft | None = None,
) -> ValidationCase:
    """Ask how urgent a case is; `content.time_frame.end` is when the answer is due.

    With `draft`, a second press returns the first request. Raises PolicyRefused and ContentInvalid.
    """
    made = _request(Category.VALIDATION, content, details, service, acting, now, None, journey, draft)
    return cast(ValidationCase, made)


def _request(
    category: Category,
    content: RequestContent,
    details: PatientDetails,
    service: HealthcareService,
    acting: Acting,
    now: datetime,
    booking: Booking | None,
    journey: Journey | None,
    draft: RequestDraft | None,
) -> Case:
    if draft is not None and (made := use_up(draft, acting)) is not None:
        return made
    policies.check_can_request(acting, service, content.use_case)
    policies.check_told_to_take(service, content.use_case, now)
    check_stated(category, content, details)
    _check_ours(acting, booking, journey)
    known = booking.journey if booking else journey
    onward = _onward(draft, acting)
    linked = selectors.linked_booking(service, booking=booking, journey=journey)
    policies.check_has_booking(service, linked)
    return issue_request(
        content=with_booking(content, linked),
        patient=_patient(details, acting.organisation, known, now),
        service=service,
        sender=sender_identity(acting),
        now=now,
        draft_id=draft.pk if draft else None,
        onward=onward,
    )


def _onward(draft: RequestDraft | None, acting: Acting) -> Case | None:
    """The received case that goes onward, as it now stands. Raises PolicyRefused."""
    case = selectors.received_case(draft.onward_from) if draft and draft.onward_from else None
    if case is not None:
        check_can_refer_onward(acting, case)
    return case


def check_stated(category: Category, content: RequestContent, details: PatientDetails) -> None:
    """Raises ContentInvalid: parts, a use case of the other category, nobody to call back."""
    check_parts(content)
    if content.category != category.value:
        raise ContentInvalid(("use_case",))
    if details.call_back is None or not details.call_back.telecoms:
        raise ContentInvalid(("patient.contacts",))


def with_booking(content: RequestContent, booking: Booking | None) -> RequestContent:
    """ServiceRequest.supportingInfo names the appointment, by the receiver's id (standard section 9)."""
    if booking is None or not booking.remote_id:
        return content
    named = dict.fromkeys((*content.booking_ids, booking.remote_id))
    return replace(content, booking_ids=tuple(named))


def _check_ours(acting: Acting, booking: Booking | None, journey: Journey | None) -> None:
    owners = {each.organisation_id for each in (booking, journey) if each is not None}
    received = booking is not None and booking.direction != BookingDirection.SENT
    if owners - {acting.organisation.pk} or received:
        raise policies.PolicyRefused("This case belongs to another organisation.")


def _patient(
    details: PatientDetails, organisation: Organisation, known: Journey | None, now: datetime
) -> Patient:
    """Who it is about: the patient of the case when the details are the same, else written anew."""
    journey = _with_id(known or open_journey(organisation=organisation, now=now), uuid4(), now)
    same = patients_of_journey(journey).first()
    if same is not None and details_of(same) == details:
        return same
    return create_patient(details=details, organisation=organisation, journey=journey, now=now)


def _with_id(journey: Journey, fresh: UUID, now: datetime) -> Journey:
    """A received booking begins a journey that nobody has named yet: the first request does."""
    if journey.journey_id is not None:
        return journey
    return open_journey(
        organisation=journey.organisation,
        correlation_id=journey.correlation_id,
        journey_id=fresh,
        now=now,
    )
