"""Who may say by hand that a booking and a referral go together: both ours, both of one patient."""

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.refusals import allowed, need
from bars_portal.correspondence.states import Direction as BookingDirection
from bars_portal.patients.models import Patient
from bookings.models import Booking
from bookings.states import VIEW_PERMISSION as VIEW_BOOKINGS
from bookings.states import BookingStatus
from referrals.models import Referral
from referrals.permissions import WORK
from referrals.states import Direction


def check_can_link(acting: Acting, referral: Referral, booking: Booking) -> None:
    check_can_link_booking(acting, booking)
    _check_referral(acting, referral)
    need(is_same_person(referral.patient, booking.patient), "This booking is for another patient.")


def check_can_link_booking(acting: Acting, booking: Booking) -> None:
    """Whatever referral it is to go with."""
    _check_may(acting)
    ours = (
        booking.organisation_id == acting.organisation.pk and booking.direction == BookingDirection.RECEIVED
    )
    need(ours, "This booking belongs to another organisation.")
    need(booking.status == BookingStatus.BOOKED, "This booking does not stand any more.")


def can_link_booking(acting: Acting, booking: Booking) -> bool:
    return allowed(lambda: check_can_link_booking(acting, booking))


def can_link_referral(acting: Acting, referral: Referral) -> bool:
    """Some booking or other."""

    def check() -> None:
        _check_may(acting)
        _check_referral(acting, referral)

    return allowed(check)


def is_same_person(one: Patient, other: Patient) -> bool:
    """By NHS number where both have one, else by date of birth and family name: never by the number alone."""
    if one.nhs_number and other.nhs_number and one.nhs_number != other.nhs_number:
        return False
    same_name = one.family_name.casefold() == other.family_name.casefold() != ""
    return same_name and one.birth_date is not None and one.birth_date == other.birth_date


def _check_may(acting: Acting) -> None:
    need(acting.may(WORK), "You are not allowed to work on received cases.")
    need(
        acting.may(VIEW_BOOKINGS[BookingDirection.RECEIVED]), "You are not allowed to see received bookings."
    )


def _check_referral(acting: Acting, referral: Referral) -> None:
    ours = referral.organisation_id == acting.organisation.pk and referral.direction == Direction.RECEIVED
    need(ours, "This case belongs to another organisation.")
    need(referral.is_current, "This referral does not stand any more.")
