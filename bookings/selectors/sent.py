"""What the acting organisation booked elsewhere, and what its people are preparing."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from bars_portal.accounts.acting import Acting
from bars_portal.correspondence.states import Direction
from bookings.models import Booking, BookingDraft, BookingStatusChange, Rebooking
from bookings.states import VIEW_PERMISSION, BookingStatus

_NOT_KNOWN = (BookingStatus.UNKNOWN, BookingStatus.CANCEL_UNKNOWN)
_TO_TELL = (BookingStatus.BOOKED, BookingStatus.CANCELLED)
# The second half of a rebooking that did not come about.
_HALF_DONE = Q(cancelled__status=BookingStatus.CANCELLED) & (
    Q(booked__isnull=True) | Q(booked__status=BookingStatus.REFUSED)
)


@dataclass(frozen=True)
class AttentionCounts:
    """`half_rebooked`: the old appointment is cancelled and there is no new one."""

    not_known: int = 0
    to_tell: int = 0
    half_rebooked: int = 0


def sent_bookings(acting: Acting, *, status: str = "") -> QuerySet[Booking]:
    """Newest first, with service, patient and journey; empty without the permission."""
    if not acting.may(VIEW_PERMISSION[Direction.SENT]):
        return Booking.objects.none()
    sent = _of(acting).filter(direction=Direction.SENT)
    return sent.filter(status=status) if status else sent


def booking_for(acting: Acting, booking_id: UUID) -> Booking | None:
    """One booking of the organisation, sent or received; None when there is none that this person may see."""
    visible = [direction for direction, permission in VIEW_PERMISSION.items() if acting.may(permission)]
    seen = _of(acting).select_related("slot__schedule").filter(direction__in=visible)
    return seen.filter(pk=booking_id).first()


def drafts_of(acting: Acting) -> QuerySet[BookingDraft]:
    """The person's own drafts, newest first."""
    drafts = BookingDraft.objects.filter(user=acting.user, organisation=acting.organisation)
    return drafts.select_related("service__provider", "replaces__service").order_by("-updated_at")


def draft_for(acting: Acting, draft_id: UUID) -> BookingDraft | None:
    return drafts_of(acting).filter(pk=draft_id).first()


def booking_of_draft(acting: Acting, draft_id: UUID) -> Booking | None:
    """The booking that was made from a draft which is gone: a second press, or the back button."""
    return _of(acting).filter(draft_id=draft_id).first()


def history_of(booking: Booking) -> QuerySet[BookingStatusChange]:
    return booking.changes.select_related("actor_user").order_by("at", "id")


def rebooking_of(booking: Booking) -> Rebooking | None:
    """The rebooking that the booking is one half of (the old one first), with both halves."""
    halves = Rebooking.objects.select_related("cancelled__service", "booked__service", "draft")
    return halves.filter(cancelled=booking).first() or halves.filter(booked=booking).first()


def attention_counts(acting: Acting) -> AttentionCounts:
    """What waits for a person of the organisation: two queries."""
    if not acting.may(VIEW_PERMISSION[Direction.SENT]):
        return AttentionCounts()
    ours = Booking.objects.filter(organisation=acting.organisation, direction=Direction.SENT)
    counted = ours.aggregate(
        not_known=Count("pk", filter=Q(status__in=_NOT_KNOWN)),
        to_tell=Count("pk", filter=Q(status__in=_TO_TELL, patient_told_at=None)),
    )
    half = Rebooking.objects.filter(_HALF_DONE, cancelled__organisation=acting.organisation)
    return AttentionCounts(**counted, half_rebooked=half.count())


def _of(acting: Acting) -> QuerySet[Booking]:
    related = ("service__provider", "patient", "journey", "organisation")
    ours = Booking.objects.filter(organisation=acting.organisation)
    return ours.select_related(*related).order_by("-created_at")
