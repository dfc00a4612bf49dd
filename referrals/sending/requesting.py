"""Asking another service to take a patient over, or to validate a case."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID, uuid4

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.correspondence.entries import stored
from bars_portal.correspondence.envelope import new_reference, parties_of
from bars_portal.correspondence.states import Direction
from bars_portal.exchange import outbox
from bars_portal.exchange.gateway.senders import require_sender
from bars_portal.exchange.models import OutboundMessage
from bars_portal.nhsuk.dates import in_london
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.models import Journey, Patient
from bars_portal.patients.selectors import details_of, patients_of_journey
from bars_portal.patients.services import create_patient, open_journey
from bars_portal.patients.typed import is_as_known
from bookings.models import Booking
from directory.models import HealthcareService
from directory.remote import SenderIdentity, sender_identity
from referrals.cases.history import start_history
from referrals.cases.models import MODELS, Case, Referral, ValidationCase
from referrals.cases.selectors import received_case
from referrals.cases.states import CaseEvent, CaseStatus, Category
from referrals.cases.wire import included_in, index_of
from referrals.parts.applications import Part, application_of
from referrals.parts.base import Frame, TimeFrame
from referrals.parts.content import ContentInvalid, RequestContent, check_parts, content_to_json
from referrals.parts.request import columns, facts_of, request_entries
from referrals.sending import policies
from referrals.sending.message import requester_of, updated_entries, updated_resource
from referrals.sending.models import RequestDraft
from referrals.sending.policies import check_can_refer_onward
from referrals.sending.selectors import case_of_draft, linked_booking


def use_up(draft: RequestDraft, acting: Acting) -> Case | None:
    """The case that was made from the draft already; None uses the draft up, in the caller's transaction.

    Raises PolicyRefused: somebody else's.
    """
    policies.check_can_use_draft(acting, draft)
    # Who presses at the same moment waits here, and then finds the first case.
    held = RequestDraft.objects.select_for_update().filter(pk=draft.pk).first()
    if held is None:
        return case_of_draft(draft.pk)
    RequestDraft.objects.filter(pk=draft.pk).delete()
    return None


def issue_request(
    *,
    content: RequestContent,
    patient: Patient,
    service: HealthcareService,
    sender: SenderIdentity,
    now: datetime,
    draft_id: UUID | None = None,
    onward: Case | None = None,
) -> Case:
    """A sent case that waits for its answer. The patient's journey has a journey id.

    `onward`: the received case that it carries on, in the same conversation (standard section 9, journey).
    """
    case = MODELS[Category(content.category.value)](
        id=uuid4(),
        draft_id=draft_id,
        direction=Direction.SENT,
        status=CaseStatus.REQUESTED,
        organisation=patient.organisation,
        service=service,
        patient=patient,
        journey=patient.journey,
        correlation_id=onward.correlation_id if onward else patient.journey.correlation_id,
        onward_from=onward.pk if onward else None,
        use_case=content.use_case.value,
        created_at=now,
        updated_at=now,
    )
    for name, value in written(case, content, details=details_of(patient), sender=sender, now=now).items():
        setattr(case, name, value)
    message = send_about(case, MESSAGES[case.category], sender, now)
    start_history(
        case=case,
        event=CaseEvent.REQUEST,
        bundle_id=str(message.bundle_id),
        actor=sender.actor,
        now=now,
    )
    return case


MESSAGES = {Category.REFERRAL: "referral-new", Category.VALIDATION: "validation-new"}


def written(
    case: Case, content: RequestContent, *, details: PatientDetails, sender: SenderIdentity, now: datetime
) -> dict[str, Any]:
    """What was stated as columns of the case: resources with what the receiver is known to call them."""
    if case.journey.journey_id is None:
        raise ValueError("A request belongs to a journey with an id.")
    stated = _timed(case, content, now)
    settled = replace(stated, assessment=replace(stated.assessment, case_number=_number(case, content)))
    held = case.resource
    frame = Frame(case.pk, case.journey.journey_id, now)
    parties = parties_of(case.service, case.organisation, now)
    request, entries = request_entries(
        frame,
        settled,
        patient=details,
        requester=requester_of(sender, phone=case.organisation.phone),
        parties=parties,
        authored_on=str(held.get("authoredOn", "")),
    )
    resource = updated_resource(request, held)
    included = stored(updated_entries(entries, included_in(case)))
    # The index that a receiver reads from the same message: both sides sort a case alike.
    facts = facts_of(
        index_of([(frame.request_url, resource), *included]),
        resource,
        use_case=content.use_case.value,
        sender=parties.sender,
    )
    return {
        **columns(facts),
        "content": content_to_json(stated),
        "resource": resource,
        "included": included,
    }


def _timed(case: Case, content: RequestContent, now: datetime) -> RequestContent:
    """Times that nobody gave are of now; a first alert has no disposition yet, so no clock runs."""
    assessment, now = content.assessment, now.replace(microsecond=0)
    reached = assessment.is_stated or not application_of(content.use_case).is_ambulance
    return replace(
        content,
        assessment=replace(
            assessment,
            started_at=assessment.started_at or now,
            disposition_at=assessment.disposition_at or (now if reached else None),
        ),
        time_frame=_from_now(case, content, now),
        notes=tuple(replace(each, made_at=each.made_at or now) for each in content.notes),
    )


def _from_now(case: Case, content: RequestContent, now: datetime) -> TimeFrame | None:
    """From when it was asked first. Raises ContentInvalid for a breach time that was over then."""
    frame = content.time_frame
    if frame is None or not application_of(content.use_case).starts_now:
        return frame
    start = case.occurrence_start or now
    if frame.end is not None and frame.end <= start:
        raise ContentInvalid((Part.BREACH_TIME.value,))
    return TimeFrame(start, frame.end)


def _number(case: Case, content: RequestContent) -> str:
    """What people on both sides can say on the telephone, also when the caller's system has no number."""
    return content.assessment.case_number or case.case_number or new_reference(case.organisation.name)


def send_about(case: Case, key: str, sender: SenderIdentity, now: datetime) -> OutboundMessage:
    return outbox.enqueue(
        key=key,
        subject=case,
        organisation=sender.organisation,
        practitioner=sender.practitioner,
        actor=sender.actor,
        now=now,
    )


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
    onward: Case | None = None,
) -> Referral:
    """Refer a patient, whose case may have begun with `booking` or with `journey`.

    A booking of the case at the same service is named in the referral. `onward` is the received case that
    it carries on, in its journey; a draft names its own. With `draft`, a second press returns the first
    referral. Raises PolicyRefused and ContentInvalid.
    """
    known = _Known(booking, onward.journey if onward else journey, draft, onward)
    made = _request(Category.REFERRAL, content, details, service, acting, now, known)
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
    onward: Case | None = None,
) -> ValidationCase:
    """Ask how urgent a case is; `content.time_frame.end` is when the answer is due.

    `onward` and `draft` as in `request_referral`. Raises PolicyRefused and ContentInvalid.
    """
    known = _Known(None, onward.journey if onward else journey, draft, onward)
    made = _request(Category.VALIDATION, content, details, service, acting, now, known)
    return cast(ValidationCase, made)


@dataclass(frozen=True)
class _Known:
    """What a request goes on with, none of it for one that begins a case."""

    booking: Booking | None
    journey: Journey | None
    draft: RequestDraft | None
    onward: Case | None


def _request(
    category: Category,
    content: RequestContent,
    details: PatientDetails,
    service: HealthcareService,
    acting: Acting,
    now: datetime,
    known: _Known,
) -> Case:
    booking, journey, draft = known.booking, known.journey, known.draft
    if draft is not None and (made := use_up(draft, acting)) is not None:
        return made
    policies.check_can_request(acting, service, content.use_case)
    policies.check_told_to_take(service, content.use_case, now)
    require_sender(acting.organisation.ods_code)
    check_stated(category, content, details)
    _check_ours(acting, booking, journey)
    onward = _onward(known, acting)
    linked = linked_booking(service, booking=booking, journey=journey)
    policies.check_has_booking(service, linked)
    return issue_request(
        content=with_booking(content, linked),
        patient=_patient(details, acting, booking.journey if booking else journey, now),
        service=service,
        sender=sender_identity(acting),
        now=now,
        draft_id=draft.pk if draft else None,
        onward=onward,
    )


def _onward(known: _Known, acting: Acting) -> Case | None:
    """The received case that goes onward, as it now stands. Raises PolicyRefused."""
    case_id = known.draft.onward_from if known.draft else known.onward and known.onward.pk
    case = received_case(case_id) if case_id else None
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
    received = booking is not None and booking.direction != Direction.SENT
    if owners - {acting.organisation.pk} or received:
        raise PolicyRefused("This case belongs to another organisation.")


def _patient(details: PatientDetails, acting: Acting, known: Journey | None, now: datetime) -> Patient:
    """Who it is about: the patient of the case when the details are the same, else written anew."""
    organisation = acting.organisation
    journey = _with_id(known or open_journey(organisation=organisation, now=now), uuid4(), now)
    same = patients_of_journey(journey).first()
    if same is not None and is_as_known(details_of(same), details, today=in_london(now).date()):
        return same
    return create_patient(
        details=details, organisation=organisation, journey=journey, now=now, declared_by=acting.actor
    )


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
