"""What belongs to one case: its bookings, and the requests that carry it on.

The link of a booking and a referral is told by what both say, else by a person here (standard section 9,
workflow 1). Booked first: ServiceRequest.supportingInfo names the Appointment. Referred first:
Appointment.basedOn names the ServiceRequest. Ending one ends the link, not the other: whether a link is live
is never written.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import allowed, need
from bars_portal.audit.services import record
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.json import id_in
from bars_portal.patients.details import is_same_person
from bars_portal.patients.models import Patient
from bars_portal.patients.selectors import with_number
from bookings.models import Booking
from bookings.states import VIEW_PERMISSION as VIEW_BOOKINGS
from bookings.states import BookingStatus
from referrals.cases import policies
from referrals.cases.models import MODELS, BookingLink, Case, Referral
from referrals.cases.policies import WORK
from referrals.cases.selectors import of_either_kind
from referrals.cases.states import CURRENT, CaseStatus, Category

_STANDING = frozenset({BookingStatus.REQUESTED, BookingStatus.BOOKED})
_GONE = frozenset({BookingStatus.REFUSED, BookingStatus.CANCELLED, BookingStatus.ENTERED_IN_ERROR})


@dataclass(frozen=True)
class Link:
    """`live` when both sides still stand. `by_hand`: no message says so, a colleague does."""

    booking: Booking
    referral: Referral
    live: bool
    by_hand: bool = False

    @property
    def is_late(self) -> bool:
        """The appointment is after the time by which the patient is to be seen."""
        return self.live and is_after(self.booking, self.referral.breach_at)


def is_after(booking: Booking, seen_by: datetime | None) -> bool:
    return seen_by is not None and booking.start > seen_by


def has_appointment(links: Iterable[Link]) -> bool:
    """Or it may have one: of some it is not known whether they are booked or cancelled."""
    return any(each.booking.status not in _GONE for each in links)


def standing_bookings(referral: Referral) -> list[Booking]:
    """Appointments that go with it and still stand, the first one first."""
    return sorted((each.booking for each in bookings_of(referral) if each.live), key=lambda each: each.start)


def bookings_of(referral: Referral) -> list[Link]:
    """Every booking that the referral names or that names the referral, youngest first."""
    wire_id = _wire_id(referral.direction, str(referral.pk), referral.remote_id)
    named = _bookings_with_ids(referral)
    based = Q(journey=referral.journey_id, resource__contains=_based_on(wire_id)) if wire_id else Q(pk=None)
    rows = Booking.objects.filter(named | based, direction=referral.direction)
    own = rows.filter(organisation=referral.organisation_id).select_related("service").order_by("-created_at")
    told = [_link(booking, referral) for booking in own]
    known = {link.booking.pk for link in told}
    hand = BookingLink.objects.filter(referral=referral).select_related("booking__service")
    return told + [
        _link(each.booking, referral, by_hand=True)
        for each in hand.order_by("-made_at")
        if each.booking_id not in known
    ]


def referrals_of(booking: Booking) -> list[Link]:
    """The same from the booking's side."""
    wire_id = _wire_id(booking.direction, str(booking.pk), booking.remote_id)
    named = Q(booking_ids__contains=[UUID(wire_id)]) if _is_id(wire_id) else Q(pk=None)
    rows: QuerySet[Referral] = Referral.objects.filter(
        named | _referrals_with_ids(booking), direction=booking.direction
    )
    own = rows.filter(organisation=booking.organisation_id).select_related("service").order_by("-created_at")
    told = [_link(booking, referral) for referral in own]
    known = {link.referral.pk for link in told}
    hand = BookingLink.objects.filter(booking=booking).select_related("referral__service")
    return told + [
        _link(booking, each.referral, by_hand=True)
        for each in hand.order_by("-made_at")
        if each.referral_id not in known
    ]


def _link(booking: Booking, referral: Referral, *, by_hand: bool = False) -> Link:
    live = booking.status in _STANDING and referral.is_current
    return Link(booking, referral, live=live, by_hand=by_hand)


def _wire_id(direction: str, ours: str, theirs: str) -> str:
    """What we received has our id on the wire, what we sent has the receiver's."""
    return ours if direction == Direction.RECEIVED else theirs


def _bookings_with_ids(referral: Referral) -> Q:
    if referral.direction == Direction.RECEIVED:
        return Q(pk__in=referral.booking_ids)
    return Q(remote_id__in=[str(each) for each in referral.booking_ids])


def _referrals_with_ids(booking: Booking) -> Q:
    named = [
        ident for each in booking.resource.get("basedOn", []) if (ident := id_in(each, "ServiceRequest"))
    ]
    if booking.direction == Direction.RECEIVED:
        return Q(pk__in=[each for each in named if _is_id(each)])
    return Q(remote_id__in=named)


def _based_on(wire_id: str) -> dict[str, list[dict[str, str]]]:
    return {"basedOn": [{"reference": f"ServiceRequest/{wire_id}"}]}


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def check_can_link(acting: Acting, referral: Referral, booking: Booking) -> None:
    check_can_link_booking(acting, booking)
    _check_referral(acting, referral)
    need(is_same_person(referral.patient, booking.patient), "This booking is for another patient.")


def check_can_link_booking(acting: Acting, booking: Booking) -> None:
    """Whatever referral it is to go with."""
    _check_may(acting)
    ours = booking.organisation_id == acting.organisation.pk and booking.direction == Direction.RECEIVED
    need(ours, "This booking belongs to another organisation.")
    need(booking.status == BookingStatus.BOOKED, "This booking does not stand any more.")


def can_link_booking(acting: Acting, booking: Booking) -> bool:
    """Some referral or other: there is one that is not linked yet."""
    return allowed(lambda: check_can_link_booking(acting, booking)) and bool(
        linkable_referrals(acting, booking)
    )


def can_link_referral(acting: Acting, referral: Referral) -> bool:
    """Some booking or other: there is one that is not linked yet."""

    def check() -> None:
        _check_may(acting)
        _check_referral(acting, referral)

    return allowed(check) and bool(linkable_bookings(acting, referral))


def _check_may(acting: Acting) -> None:
    need(acting.may(WORK), "You are not allowed to work on received cases.")
    need(acting.may(VIEW_BOOKINGS[Direction.RECEIVED]), "You are not allowed to see received bookings.")


def _check_referral(acting: Acting, referral: Referral) -> None:
    ours = referral.organisation_id == acting.organisation.pk and referral.direction == Direction.RECEIVED
    need(ours, "This case belongs to another organisation.")
    need(referral.is_current, "This referral does not stand any more.")


# One patient has few of them that stand.
_MOST = 20


def linkable_bookings(acting: Acting, referral: Referral) -> list[Booking]:
    """The next appointment first."""
    rows = _received_bookings(acting).filter(_perhaps(referral.patient)).order_by("start")
    same = [each for each in rows if is_same_person(each.patient, referral.patient)]
    # Most patients have no appointment here: then nothing is to be taken away.
    known = {link.booking.pk for link in bookings_of(referral)} if same else set()
    return [each for each in same if each.pk not in known][:_MOST]


def linkable_referrals(acting: Acting, booking: Booking) -> list[Referral]:
    """The youngest first."""
    rows = Referral.objects.filter(
        _perhaps(booking.patient),
        organisation=acting.organisation,
        direction=Direction.RECEIVED,
        status__in=sorted(CURRENT),
    )
    found = rows.select_related("patient", "service").order_by("-created_at")
    same = [each for each in found if is_same_person(each.patient, booking.patient)]
    known = {link.referral.pk for link in referrals_of(booking)} if same else set()
    return [each for each in same if each.pk not in known][:_MOST]


def received_booking(acting: Acting, booking_id: UUID) -> Booking | None:
    """A received booking of the organisation, whatever became of it."""
    rows = Booking.objects.filter(organisation=acting.organisation, direction=Direction.RECEIVED)
    return rows.select_related("patient", "service", "journey").filter(pk=booking_id).first()


def _received_bookings(acting: Acting) -> QuerySet[Booking]:
    rows = Booking.objects.filter(organisation=acting.organisation, direction=Direction.RECEIVED)
    return rows.filter(status=BookingStatus.BOOKED).select_related("patient", "service")


def _perhaps(patient: Patient) -> Q:
    """What the database can tell; the people are compared afterwards."""
    perhaps = Q(patient__birth_date=patient.birth_date) if patient.birth_date else Q(pk=None)
    for number in patient.numbers:
        if number.verified:
            perhaps |= with_number(number.value)
    return perhaps


@transaction.atomic
def link_booking(*, referral: Referral, booking: Booking, acting: Acting, now: datetime) -> bool:
    """False when they were linked by hand already. Raises PolicyRefused."""
    check_can_link(acting, referral, booking)
    by = {"made_by": acting.user, "made_by_label": acting.actor.label, "made_at": now}
    _, made = BookingLink.objects.get_or_create(referral=referral, booking=booking, defaults=by)
    if made:
        _record("referrals.link_booking", referral, booking, acting, now)
    return made


@transaction.atomic
def unlink_booking(*, referral: Referral, booking: Booking, acting: Acting, now: datetime) -> bool:
    """Only what was linked by hand. False when it is not. Raises PolicyRefused."""
    policies.check_can_work(acting, referral)
    gone, _ = BookingLink.objects.filter(referral=referral, booking=booking).delete()
    if gone:
        _record("referrals.unlink_booking", referral, booking, acting, now)
    return bool(gone)


def _record(action: str, referral: Referral, booking: Booking, acting: Acting, now: datetime) -> None:
    record(
        actor=acting.actor,
        action=action,
        subject=referral,
        detail={"booking": str(booking.pk)},
        correlation_id=referral.correlation_id,
        now=now,
    )


# It never got there, or was taken back.
_CAME_TO_NOTHING = (CaseStatus.REFUSED, CaseStatus.REVOKED, CaseStatus.ENTERED_IN_ERROR)


def onward_requests_of(case: Case) -> list[Case]:
    """What our people sent to carry on with a received case, newest first."""
    found: list[Case] = []
    for category in Category:
        rows = MODELS[category].objects.filter(
            onward_from=case.pk, organisation=case.organisation_id, direction=Direction.SENT
        )
        found += rows.select_related("service")
    return sorted(found, key=lambda each: each.created_at, reverse=True)


def standing_onward(cases: list[Case]) -> Case | None:
    """The newest that may have reached somebody."""
    return next((each for each in cases if each.status not in _CAME_TO_NOTHING), None)


def carried_from(case: Case) -> Case | None:
    """The received case that a request of ours carries on."""
    if case.onward_from is None:
        return None
    known = {"pk": case.onward_from, "organisation": case.organisation_id, "direction": Direction.RECEIVED}
    return of_either_kind(known)


def onward_words(case: Case) -> str:
    """Where it went, as an outcome tells it; "" when it did not go onward from here."""
    standing = standing_onward(onward_requests_of(case))
    if standing is None:
        return ""
    reference = f", their reference {standing.reference}" if standing.reference else ""
    return f"Referred onward to {standing.service.name}{reference}."
