"""Bookings and referrals of one case: the link is told by what both say, else by a person here.

Standard section 9, workflow 1. Booked first: ServiceRequest.supportingInfo names the Appointment. Referred
first: Appointment.basedOn names the ServiceRequest. Ending one ends the link, not the other: whether a link
is live is never written.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from bars_portal.correspondence.states import Direction
from bookings.models import Booking
from bookings.states import BookingStatus
from referrals.models import BookingLink, Referral

_STANDING = frozenset({BookingStatus.REQUESTED, BookingStatus.BOOKED})


@dataclass(frozen=True)
class Link:
    """`live` when both sides still stand. `by_hand`: no message says so, a colleague does."""

    booking: Booking
    referral: Referral
    live: bool
    by_hand: bool = False


def bookings_of(referral: Referral) -> list[Link]:
    """Every booking that the referral names or that names the referral, youngest first."""
    wire_id = _wire_id(referral.direction, str(referral.pk), referral.remote_id)
    named = _bookings_with_ids(referral)
    based = Q(journey=referral.journey_id, resource__contains=_based_on(wire_id)) if wire_id else Q(pk=None)
    rows = Booking.objects.filter(named | based, direction=referral.direction)
    own = rows.filter(organisation=referral.organisation_id).select_related("service").order_by("-created_at")
    told = [_link(booking, referral) for booking in own]
    known = {link.booking.pk for link in told}
    hand = _by_hand(referral=referral)
    return told + [
        _link(each.booking, referral, by_hand=True) for each in hand if each.booking_id not in known
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
    hand = _by_hand(booking=booking)
    return told + [
        _link(booking, each.referral, by_hand=True) for each in hand if each.referral_id not in known
    ]


def _by_hand(**owner: Referral | Booking) -> QuerySet[BookingLink]:
    rows = BookingLink.objects.filter(**owner).select_related("booking__service", "referral__service")
    return rows.order_by("-made_at")


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
        reference.removeprefix("ServiceRequest/")
        for each in booking.resource.get("basedOn", [])
        if (reference := str(each.get("reference", ""))).startswith("ServiceRequest/")
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
