"""What may be linked by hand: received bookings and referrals of the same patient that are not linked yet."""

from uuid import UUID

from django.db.models import Q, QuerySet

from bars_portal.accounts.acting import Acting
from bars_portal.correspondence.states import Direction as BookingDirection
from bars_portal.patients.models import Patient
from bookings.models import Booking
from bookings.states import BookingStatus
from referrals.link_policies import is_same_person
from referrals.models import Referral
from referrals.selectors.links import bookings_of, referrals_of
from referrals.states import CURRENT, Direction

# One patient has few of them that stand.
_MOST = 20


def linkable_bookings(acting: Acting, referral: Referral) -> list[Booking]:
    """The next appointment first."""
    rows = _received_bookings(acting).filter(_perhaps(referral.patient)).order_by("start")
    known = {link.booking.pk for link in bookings_of(referral)}
    same = (each for each in rows if is_same_person(each.patient, referral.patient))
    return [each for each in same if each.pk not in known][:_MOST]


def linkable_referrals(acting: Acting, booking: Booking) -> list[Referral]:
    """The youngest first."""
    rows = Referral.objects.filter(
        _perhaps(booking.patient),
        organisation=acting.organisation,
        direction=Direction.RECEIVED,
        status__in=sorted(CURRENT),
    )
    known = {link.referral.pk for link in referrals_of(booking)}
    found = rows.select_related("patient", "service").order_by("-created_at")
    same = (each for each in found if is_same_person(each.patient, booking.patient))
    return [each for each in same if each.pk not in known][:_MOST]


def received_booking(acting: Acting, booking_id: UUID) -> Booking | None:
    """A received booking of the organisation, whatever became of it."""
    rows = Booking.objects.filter(organisation=acting.organisation, direction=BookingDirection.RECEIVED)
    return rows.select_related("patient", "service", "journey").filter(pk=booking_id).first()


def _received_bookings(acting: Acting) -> QuerySet[Booking]:
    rows = Booking.objects.filter(organisation=acting.organisation, direction=BookingDirection.RECEIVED)
    return rows.filter(status=BookingStatus.BOOKED).select_related("patient", "service")


def _perhaps(patient: Patient) -> Q:
    """What the database can tell; the name is compared afterwards."""
    born = Q(patient__birth_date=patient.birth_date) if patient.birth_date else Q(pk=None)
    return born & Q(patient__family_name__iexact=patient.family_name)
