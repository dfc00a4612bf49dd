"""What the acting organisation booked elsewhere, and what its people are preparing."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import Organisation, User
from bars_portal.accounts.people.selectors import UnfinishedWork
from bars_portal.correspondence.states import Direction
from bars_portal.nhsuk.dates import in_london, london_midnight
from bookings.models import ASKS_FOR_ATTENTION, Booking, BookingDraft, BookingStatusChange, Rebooking
from bookings.states import VIEW_PERMISSION, BookingStatus

_NOT_KNOWN = (BookingStatus.UNKNOWN, BookingStatus.CANCEL_UNKNOWN)
_TO_TELL = (BookingStatus.BOOKED, BookingStatus.CANCELLED)
# Brings no patient to a service.
GONE = (BookingStatus.REFUSED, BookingStatus.CANCELLED, BookingStatus.ENTERED_IN_ERROR)
_ENDING = (BookingStatus.CANCELLING, BookingStatus.CANCEL_UNKNOWN)


class Waiting(StrEnum):
    """What waits for a person: home counts it, and the list of sent bookings shows it.

    `HALF_REBOOKED`: the old appointment is cancelled, and the new one that is wanted is not there.
    `NOT_AS_ASKED`: as the status.
    """

    HALF_REBOOKED = "half-rebooked"
    NOT_AS_ASKED = BookingStatus.NOT_AS_ASKED.value
    NOT_KNOWN = "not-known"
    TO_TELL = "to-tell"


class OfToday(StrEnum):
    """How the day goes: appointments of this London day that may stand, and what was asked for in it."""

    STARTS = "starts-today"
    ASKED = "asked-today"


_REPLACED = Rebooking.objects.filter(cancelled=OuterRef("pk"))
_WITHOUT_NEW = _REPLACED.filter(Q(booked=None) | Q(booked__status=BookingStatus.REFUSED), ended_at=None)
# Of both appointments of a rebooking the patient is told at once: the task is that of the newer one.
_TOLD_WITH_NEW = _REPLACED.filter(booked__status__in=_TO_TELL, booked__patient_told_at=None)
_WAITING: Mapping[Waiting, Q] = {
    Waiting.HALF_REBOOKED: Q(Exists(_WITHOUT_NEW), status=BookingStatus.CANCELLED),
    Waiting.NOT_AS_ASKED: Q(ASKS_FOR_ATTENTION, status=BookingStatus.NOT_AS_ASKED),
    Waiting.NOT_KNOWN: Q(ASKS_FOR_ATTENTION, status__in=_NOT_KNOWN),
    Waiting.TO_TELL: Q(
        ASKS_FOR_ATTENTION, ~Exists(_TOLD_WITH_NEW), status__in=_TO_TELL, patient_told_at=None
    ),
}


def sent_bookings(
    acting: Acting, *, chosen: BookingStatus | Waiting | OfToday | None = None, now: datetime | None = None
) -> QuerySet[Booking]:
    """Newest first, with service, patient and journey; empty without the permission. `now`: for OfToday."""
    if not acting.may(VIEW_PERMISSION[Direction.SENT]):
        return Booking.objects.none()
    sent = _of(acting).filter(direction=Direction.SENT)
    if isinstance(chosen, Waiting):
        return sent.filter(_WAITING[chosen])
    if isinstance(chosen, OfToday):
        if now is None:
            raise TypeError("Which day it is has to be told.")
        return sent.filter(_of_today(chosen, now))
    return sent.filter(status=chosen) if chosen else sent


def _of_today(chosen: OfToday, now: datetime) -> Q:
    today = in_london(now).date()
    day = (london_midnight(today), london_midnight(today + timedelta(days=1)))
    if chosen is OfToday.ASKED:
        return Q(created_at__gte=day[0], created_at__lt=day[1])
    return ~Q(status__in=GONE) & Q(start__gte=day[0], start__lt=day[1])


@dataclass(frozen=True)
class Listed:
    """Which sent bookings are wanted; what is None is not asked for. Times are aware, `before` is excluded.

    `after`: created_at and id of the last one of the page before.
    """

    chosen: BookingStatus | Waiting | None = None
    service_ids: Collection[str] | None = None
    journey: UUID | None = None
    starts_from: datetime | None = None
    starts_before: datetime | None = None
    after: tuple[datetime, UUID] | None = None


def listed_bookings(acting: Acting, wanted: Listed, *, limit: int) -> list[Booking]:
    """A page of `sent_bookings`, in an order in which each has its own place; with the service alone."""
    rows = sent_bookings(acting, chosen=wanted.chosen).order_by("-created_at", "-id")
    # A hundred patients and whole Appointments cost more than all else.
    rows = rows.select_related(None).select_related("service").defer("resource", "included")
    exact = {
        "service__service_id__in": wanted.service_ids,
        "journey": wanted.journey,
        "start__gte": wanted.starts_from,
        "start__lt": wanted.starts_before,
    }
    rows = rows.filter(**{name: value for name, value in exact.items() if value is not None})
    if wanted.after is not None:
        created_at, pk = wanted.after
        # The first condition alone is what an index can begin at.
        rows = rows.filter(Q(created_at__lt=created_at) | Q(pk__lt=pk), created_at__lte=created_at)
    return list(rows[:limit])


def booking_for(acting: Acting, booking_id: UUID) -> Booking | None:
    """One booking of the organisation, sent or received; None when there is none that this person may see."""
    visible = [direction for direction, permission in VIEW_PERMISSION.items() if acting.may(permission)]
    seen = _of(acting).select_related("slot__schedule").filter(direction__in=visible)
    return seen.filter(pk=booking_id).first()


def unfinished_work(person: User, organisation: Organisation) -> Iterator[UnfinishedWork]:
    """What somebody who leaves leaves behind."""
    drafts = BookingDraft.objects.filter(user=person, organisation=organisation).count()
    yield UnfinishedWork("Drafts of bookings", drafts)


def draft_for(acting: Acting, draft_id: UUID) -> BookingDraft | None:
    # Few of them replace a booking: joining its columns took a tenth of a page.
    drafts = BookingDraft.objects.filter(pk=draft_id, user=acting.user, organisation=acting.organisation)
    return drafts.select_related("service__provider").first()


def booking_of_draft(acting: Acting, draft_id: UUID) -> Booking | None:
    """What became of a draft that was sent: the booking made from it, or the one that it is to replace and
    that is being cancelled for it. None for one that can still be written.
    """
    ours = _of(acting)
    made = ours.filter(draft_id=draft_id).first()
    return made or ours.filter(rebooking__draft=draft_id, status__in=_ENDING).first()


def later_booking(booking: Booking) -> Booking | None:
    """The appointment that was asked for since, in the same journey, and that the patient may have."""
    rows = Booking.objects.filter(
        journey=booking.journey_id, direction=Direction.SENT, created_at__gt=booking.created_at
    )
    return rows.exclude(status__in=GONE).order_by("-created_at").first()


def history_of(booking: Booking) -> QuerySet[BookingStatusChange]:
    return booking.changes.select_related("actor_user").order_by("at", "id")


def rebooking_of(booking: Booking) -> Rebooking | None:
    """The rebooking that the booking is one half of (the old one first), with both halves."""
    halves = Rebooking.objects.select_related("cancelled__service", "booked__service", "draft")
    # One that took another's place may have been replaced since: then it is half of two.
    found = list(halves.filter(Q(cancelled=booking) | Q(booked=booking)))
    return next((each for each in found if each.cancelled_id == booking.pk), next(iter(found), None))


def is_told_with_new(booking: Booking, plan: Rebooking | None) -> bool:
    """Whether the patient hears of it together with what took its place; `plan` is its own rebooking."""
    new = plan.booked if plan is not None and plan.cancelled_id == booking.pk else None
    return new is not None and new.status in _TO_TELL and new.patient_told_at is None


def told_together(booking: Booking) -> list[Booking]:
    """Cancelled appointments whose place it took, and that the patient does not know of; newest first."""
    found: list[Booking] = []
    plans, newest = Rebooking.objects.select_related("cancelled__service"), booking
    while (plan := plans.filter(booked=newest).first()) and plan.cancelled.patient_told_at is None:
        newest = plan.cancelled
        found.append(newest)
    return found


def attention_counts(acting: Acting) -> dict[Waiting, int]:
    """What waits for a person of the organisation, without a look at what does not."""
    sent = sent_bookings(acting).order_by()
    others = [each for each in Waiting if each is not Waiting.HALF_REBOOKED]
    counted = {each.value: Count("pk", filter=_WAITING[each]) for each in others}
    found = sent.filter(ASKS_FOR_ATTENTION).aggregate(**counted)
    # By its rebooking, whoever was told of what.
    found[Waiting.HALF_REBOOKED.value] = sent.filter(_WAITING[Waiting.HALF_REBOOKED]).count()
    return {each: found[each.value] for each in Waiting}


def _of(acting: Acting) -> QuerySet[Booking]:
    related = ("service__provider", "patient", "journey", "organisation")
    ours = Booking.objects.filter(organisation=acting.organisation)
    return ours.select_related(*related).order_by("-created_at")
