"""What follows from an answer or a booking of ours, and that a person must take and close.

It is raised in the transaction that learns of it, and stays an alarm until somebody has closed it in words;
of two who take or close it the database says who was first.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID, uuid4

from django.db import models, transaction
from django.db.models import Q, QuerySet

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import Organisation, User
from bars_portal.accounts.permissions import PolicyRefused, allowed, need
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.correspondence.history import tell
from bars_portal.correspondence.states import Direction
from bars_portal.patients.models import Journey
from bookings.models import Booking
from bookings.states import VIEW_PERMISSION as VIEW_BOOKINGS
from bookings.states import BookingStatus
from referrals.cases.models import Case, CaseReply, Referral, ValidationCase, owned_by
from referrals.cases.policies import SEND, VIEW
from referrals.cases.selectors import sent_in
from referrals.cases.states import CURRENT, Category, Labelled, ReplyKind

OUTCOME_LENGTH = 300


class DutyKind(Labelled):
    REJECTED = "rejected", "Rejected: the patient is yours again"
    AMBULANCE = "ambulance", "An ambulance is needed"
    # The outcome has no plan, or one without a status: somebody has to ask.
    UNCLEAR = "unclear", "The outcome does not say whether an ambulance is needed"
    NON_ATTENDANCE = "did-not-attend", "The patient did not attend"
    UPDATE = "update", "Something critical has become known: send an update"
    REFERRAL = "referral", "The referral of this appointment is still to be sent"


_ONE_SUBJECT = (
    Q(referral__isnull=False, validation__isnull=True, booking__isnull=True)
    | Q(referral__isnull=True, validation__isnull=False, booking__isnull=True)
    | Q(referral__isnull=True, validation__isnull=True, booking__isnull=False)
)
_OPEN = Q(closed_at__isnull=True)


class Duty(models.Model):
    """About one case or one booking that the organisation sent; open until `closed_at`."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    kind = models.CharField(max_length=20, choices=[(kind.value, kind.label) for kind in DutyKind])
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="duties")
    referral = models.ForeignKey(Referral, null=True, on_delete=models.PROTECT, related_name="duties")
    validation = models.ForeignKey(ValidationCase, null=True, on_delete=models.PROTECT, related_name="duties")
    booking = models.ForeignKey(Booking, null=True, on_delete=models.PROTECT, related_name="duties")
    # The answer that it follows from; of one that is raised anew, the newest.
    reply = models.ForeignKey(CaseReply, null=True, on_delete=models.PROTECT, related_name="+")
    raised_at = models.DateTimeField()
    taken_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    taken_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    # Null when it settled itself.
    closed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=OUTCOME_LENGTH, blank=True)

    class Meta:
        ordering = ["raised_at", "id"]
        verbose_name_plural = "duties"
        constraints = [
            models.CheckConstraint(condition=_ONE_SUBJECT, name="duty_of_one_subject"),
            *(
                models.UniqueConstraint(fields=["kind", owner], condition=_OPEN, name=f"duty_of_{owner}_once")
                for owner in ("referral", "validation", "booking")
            ),
        ]
        indexes = [models.Index(fields=["organisation", "raised_at"], condition=_OPEN, name="duty_open")]

    def __str__(self) -> str:
        return DutyKind(self.kind).label

    @property
    def subject(self) -> Case | Booking:
        found = self.referral or self.validation or self.booking
        if found is None:
            raise TypeError("A duty is about a case or a booking.")
        return found


def duty_of_reply(case: Case, reply: CaseReply) -> DutyKind | None:
    """What somebody of the requester must see to after this answer."""
    kind = ReplyKind(reply.kind)
    if kind in (ReplyKind.REJECTED, ReplyKind.CAD_REJECTION):
        return DutyKind.REJECTED
    if kind is ReplyKind.DID_NOT_ATTEND:
        return DutyKind.NON_ATTENDANCE
    if kind is not ReplyKind.FULL or case.category is not Category.VALIDATION:
        return None
    if reply.action_needed is None:
        return DutyKind.UNCLEAR
    return DutyKind.AMBULANCE if reply.action_needed else None


def raise_duty(*, case: Case, reply: CaseReply, actor: Actor, now: datetime) -> None:
    """In the transaction that holds the case's row. Heard again, it is nobody's again: there is news."""
    kind = duty_of_reply(case, reply)
    if kind is None:
        return
    same = Duty.objects.filter(_OPEN, kind=kind.value, **owned_by(case))
    if same.update(reply=reply, raised_at=now, taken_by=None, taken_at=None):
        _record(case, "referrals.raise_duty_again", kind, actor, now)
        return
    Duty.objects.create(
        kind=kind.value, organisation=case.organisation, reply=reply, raised_at=now, **owned_by(case)
    )
    _record(case, "referrals.raise_duty", kind, actor, now)


# Between ambulance controls.
_AMBULANCE = "a6"


def raise_update_duties(*, case: Case, actor: Actor, now: datetime) -> None:
    """An answer to `case` tells of a danger: ambulance controls that have the patient now hear of it too
    (guide, Application 6: an update each time that something critical is added).
    """
    told = Referral.objects.filter(
        journey=case.journey,
        direction=Direction.SENT,
        status__in=sorted(CURRENT),
        use_case__startswith=_AMBULANCE,
    )
    for referral in told.select_related("organisation"):
        known = {"kind": DutyKind.UPDATE, "referral": referral, "closed_at": None}
        anew = {"organisation": referral.organisation, "raised_at": now}
        _, made = Duty.objects.get_or_create(**known, defaults=anew)
        if made:
            _record(referral, "referrals.raise_duty", DutyKind.UPDATE, actor, now)


def settle_update_duty(*, referral: Referral, actor: Actor, now: datetime) -> None:
    """The receiver has an update: it knows what is critical."""
    waiting = Duty.objects.filter(_OPEN, kind=DutyKind.UPDATE, referral=referral)
    if waiting.update(closed_at=now, outcome="An update was sent."):
        _record(referral, "referrals.settle_duty", DutyKind.UPDATE, actor, now)


_SENT, _OVER = "The referral was sent.", "The appointment does not stand any more."


def settle_referral_duties(*, journey: Journey, actor: Actor, now: datetime) -> None:
    """Each appointment of ours in the journey that stands has its referral, or the duty to send it.

    Called whenever either changes, in the transaction that changes it. The journey's row is locked first, so
    that a booking and a referral which settle at the same moment see one another. What a person has closed
    stays closed.
    """
    Journey.objects.select_for_update(no_key=True).filter(pk=journey.pk).first()
    if not Booking.objects.filter(journey=journey, direction=Direction.SENT).exists():
        # As most referrals are: what else is sent in the journey costs a worker an eighth of its time.
        return
    sent = sent_in(journey)
    raised = {
        each.booking_id: each
        for each in Duty.objects.filter(booking__in=[each.pk for each in sent.bookings]).order_by("raised_at")
    }
    for booking in sent.bookings:
        duty, stands = raised.get(booking.pk), booking.status == BookingStatus.BOOKED
        owed = stands and sent.owes_referral(booking)
        settled_itself = duty is not None and duty.closed_at is not None and duty.closed_by_id is None
        if owed and (duty is None or settled_itself):
            Duty.objects.create(
                kind=DutyKind.REFERRAL, organisation=booking.organisation, booking=booking, raised_at=now
            )
            _record(booking, "referrals.raise_duty", DutyKind.REFERRAL, actor, now)
        open_one = Duty.objects.filter(_OPEN, booking=booking)
        if not owed and open_one.update(closed_at=now, outcome=_SENT if stands else _OVER):
            _record(booking, "referrals.settle_duty", DutyKind.REFERRAL, actor, now)


_SHOWN_WITH = tuple(
    f"{owner}__{each}" for owner in ("referral", "validation", "booking") for each in ("service", "patient")
)
_LOCKED_WITH = ("referral__journey", "validation__journey", "booking__journey")


def duties_for(acting: Acting) -> QuerySet[Duty]:
    """Of the organisation, as far as the person sees what they are about; the longest waiting first."""
    rows = Duty.objects.filter(_seen_by(acting), organisation=acting.organisation)
    return rows.select_related(*_SHOWN_WITH, "taken_by", "closed_by", "reply").order_by("raised_at", "id")


def open_duties(acting: Acting) -> QuerySet[Duty]:
    return duties_for(acting).filter(closed_at=None)


def duty_for(acting: Acting, duty_id: UUID) -> Duty | None:
    return duties_for(acting).select_related(*_SHOWN_WITH, *_LOCKED_WITH).filter(pk=duty_id).first()


def duties_about(acting: Acting, subject: Case | Booking) -> list[Duty]:
    """Open ones first, then as they were raised."""
    known = {"booking": subject} if isinstance(subject, Booking) else owned_by(subject)
    found = list(duties_for(acting).filter(**known))
    return sorted(found, key=lambda each: each.closed_at is not None)


def _seen_by(acting: Acting) -> Q:
    """Somebody who sees no bookings sees no duty of one."""
    cases = acting.may(VIEW[Direction.SENT])
    bookings = acting.may(VIEW_BOOKINGS[Direction.SENT])
    none = Q(pk=None)
    return (Q(booking=None) if cases else none) | (Q(booking__isnull=False) if bookings else none)


def check_can_see_to(acting: Acting, duty: Duty) -> None:
    """Take it, give it back, close it: whoever may send requests."""
    need(duty.organisation_id == acting.organisation.pk, "This task belongs to another organisation.")
    need(acting.may(SEND), "You are not allowed to see to tasks of what was sent.")
    need(duty.closed_at is None, "This task is closed already.")


def can_see_to(acting: Acting, duty: Duty) -> bool:
    return allowed(lambda: check_can_see_to(acting, duty))


_MEANWHILE = "Somebody else was first, or there is news of it. Look at it again."


@transaction.atomic
def take_duty(*, duty: Duty, acting: Acting, now: datetime) -> Duty:
    """From whoever had it when the person looked. Raises PolicyRefused."""
    return _assign(duty, acting.user, acting, now)


@transaction.atomic
def give_back_duty(*, duty: Duty, acting: Acting, now: datetime) -> Duty:
    """Nobody's again; only by who has it. Raises PolicyRefused."""
    if duty.taken_by_id != acting.user.pk:
        raise PolicyRefused("Only who has taken a task gives it back.")
    return _assign(duty, None, acting, now)


@transaction.atomic
def close_duty(*, duty: Duty, raised_at: datetime, outcome: str, acting: Acting, now: datetime) -> Duty:
    """`outcome`: what was done, in words. `raised_at`: of the duty that the person read.

    One that was raised again since then stays open: its newest answer is not known to whoever closes it.
    Raises PolicyRefused.
    """
    check_can_see_to(acting, duty)
    words = " ".join(outcome.split())
    if not words:
        raise PolicyRefused("Say what was done.")
    same = Duty.objects.filter(pk=duty.pk, closed_at=None, raised_at=raised_at)
    values = {"closed_at": now, "closed_by": acting.user, "outcome": words[:OUTCOME_LENGTH]}
    if not same.update(**values):
        raise PolicyRefused(_MEANWHILE)
    _record(duty.subject, "referrals.close_duty", DutyKind(duty.kind), acting.actor, now)
    duty.refresh_from_db()
    return duty


def _assign(duty: Duty, to: User | None, acting: Acting, now: datetime) -> Duty:
    check_can_see_to(acting, duty)
    same = Duty.objects.filter(
        pk=duty.pk, closed_at=None, taken_by=duty.taken_by_id, raised_at=duty.raised_at
    )
    if not same.update(taken_by=to, taken_at=now if to else None):
        raise PolicyRefused(_MEANWHILE)
    action = "referrals.take_duty" if to else "referrals.give_back_duty"
    _record(duty.subject, action, DutyKind(duty.kind), acting.actor, now)
    duty.refresh_from_db()
    return duty


# By what was done: the step that applications are told of.
_TOLD: Mapping[str, str] = {
    "referrals.raise_duty": "task-raised",
    "referrals.raise_duty_again": "task-raised",
    "referrals.settle_duty": "task-closed",
    "referrals.take_duty": "task-taken",
    "referrals.give_back_duty": "task-given-back",
    "referrals.close_duty": "task-closed",
}


def _record(subject: Case | Booking, action: str, kind: DutyKind, actor: Actor, now: datetime) -> None:
    record(
        actor=actor,
        action=action,
        subject=subject,
        detail={"kind": kind.value},
        correlation_id=subject.correlation_id,
        now=now,
    )
    tell(subject, _TOLD[action], now=now)
