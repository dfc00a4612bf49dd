"""Cancelling from the version that the service holds right now, and rebooking, which cancels first."""

from datetime import datetime

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.audit.actor import Actor
from bars_portal.correspondence.latest import Latest
from bars_portal.exchange import outbox
from bars_portal.exchange.fhir.codes import CancellationReason
from bookings import policies, ports
from bookings.mapping.offers import OfferedSlot
from bookings.models import Booking, BookingDraft, Rebooking
from bookings.services.history import change_status
from bookings.services.requesting import approve_if_needed, book_draft, open_draft
from bookings.states import BookingEvent, BookingStatus
from directory.remote import identity_of, sender_identity

MESSAGE = "booking-cancelled"
REASON_LENGTH = 300


@transaction.atomic
def request_cancel(
    *, booking: Booking, latest: Latest, reason: str, acting: Acting, now: datetime
) -> Booking:
    """Send the cancellation; `reason` is a CancellationReason code or a few words.

    `latest` was read just before, outside this transaction. When it is cancelled there already, that is
    recorded and nothing is sent. Raises PolicyRefused (also when nothing could be read), TransitionRefused.
    """
    policies.check_can_cancel(acting, booking, now)
    _forget_plan(booking)
    if _is_cancelled(latest):
        return find_cancelled(booking=booking, latest=latest, actor=acting.actor, now=now)
    if not latest.can_be_changed:
        raise PolicyRefused(latest.sentence)
    change_status(
        booking=booking,
        event=BookingEvent.REQUEST_CANCEL,
        actor=acting.actor,
        now=now,
        # The message is built from this version, which the receiver holds.
        changes={"resource": latest.resource, "cancel_reason": _words(reason), "explanation": ""},
    )
    sender = sender_identity(acting)
    outbox.enqueue(
        key=MESSAGE,
        subject=booking,
        organisation=sender.organisation,
        practitioner=sender.practitioner,
        actor=sender.actor,
        now=now,
    )
    return booking


@transaction.atomic
def find_cancelled(*, booking: Booking, latest: Latest, actor: Actor, now: datetime) -> Booking:
    """The receiver holds it as cancelled already: only our record is behind. Raises TransitionRefused."""
    _forget_plan(booking)
    return change_status(
        booking=booking,
        event=BookingEvent.FIND_CANCELLED,
        actor=actor,
        now=now,
        note="The service had cancelled it already.",
        changes={"resource": latest.resource, "explanation": "", "patient_told_at": None},
    )


def _forget_plan(booking: Booking) -> None:
    """A rebooking whose cancellation was refused is over: this cancellation must not bring it back."""
    Rebooking.objects.filter(cancelled=booking, booked=None).delete()


def _is_cancelled(latest: Latest) -> bool:
    return latest.status in ("cancelled", "entered-in-error")


def _words(reason: str) -> str:
    known = CancellationReason.lookup(reason)
    return (known.display if known else reason.strip())[:REASON_LENGTH]


@transaction.atomic
def start_rebooking(
    *,
    booking: Booking,
    latest: Latest,
    draft: BookingDraft,
    reason: str,
    acting: Acting,
    now: datetime,
    reassessed: str = "",
    renewal: ports.Renewal | None = None,
) -> Rebooking:
    """Write the plan and ask for the cancellation; `draft` holds the new time and replaces `booking`.

    The new booking goes out by itself once the old one is cancelled, for the same patient in the same
    journey; at once when the old one is cancelled already. `renewal`: its referral is taken back at the same
    time, and the new booking waits for the new one. `reassessed` is a Reassessed, or "" where nobody was
    asked. Raises PolicyRefused and TransitionRefused.
    """
    if renewal is not None and not renewal.obstacle:
        # The referral's row is locked before the booking's, here as everywhere.
        renewal.begin(reason=reason, reassessed=reassessed, acting=acting, now=now)
    # Whoever rebooks the same appointment at this moment waits here, and is then refused.
    Booking.objects.select_for_update().get(pk=booking.pk)
    policies.check_can_rebook(acting, booking, now)
    policies.check_can_book(acting, draft.service)
    policies.check_draft_is_accepted(draft, now)
    policies.check_time_frame(draft)
    if draft.replaces_id != booking.pk:
        raise PolicyRefused("This new time was chosen for another appointment.")
    if booking.status != BookingStatus.CANCELLED.value:
        request_cancel(booking=booking, latest=latest, reason=reason, acting=acting, now=now)
    # Both are written before the message goes out, which is when this transaction commits.
    defaults = {"draft": draft, "started_at": now, "ended_at": None}
    plan, _ = Rebooking.objects.update_or_create(cancelled=booking, defaults=defaults)
    BookingDraft.objects.filter(pk=draft.pk).update(reassessed=reassessed)
    if booking.status == BookingStatus.CANCELLED.value:
        continue_rebooking(booking=booking, actor=acting.actor, now=now)
    plan.refresh_from_db()
    return plan


@transaction.atomic
def rebook_at_once(
    *,
    booking: Booking,
    latest: Latest,
    chosen: OfferedSlot,
    reason: str,
    approval_reason: str,
    acting: Acting,
    now: datetime,
    reassessed: str = "",
    renewal: ports.Renewal | None = None,
) -> Rebooking:
    """As `start_rebooking`, with a new time of the same service that was not kept in a draft before."""
    draft = open_draft(
        acting=acting,
        service=booking.service,
        use_case=booking.use_case,
        chosen=chosen,
        replaces=booking,
        now=now,
    )
    approve_if_needed(draft=draft, reason=approval_reason, acting=acting, now=now)
    return start_rebooking(
        booking=booking,
        latest=latest,
        draft=draft,
        reason=reason,
        acting=acting,
        now=now,
        reassessed=reassessed,
        renewal=renewal,
    )


@transaction.atomic
def end_rebooking(*, booking: Booking, acting: Acting, now: datetime) -> Booking:
    """No new appointment is wanted any more in the place of `booking`, which is cancelled.

    It waits for nobody then; it can still be rebooked. Raises PolicyRefused: also for who pressed second.
    """
    # A rebooking that begins at this moment waits for this, or is waited for.
    Booking.objects.select_for_update().get(pk=booking.pk)
    ports.renewal_progress.provider(booking, True)
    policies.check_can_end_rebooking(acting, booking)
    # What waited for a referral is not booked any more either.
    Rebooking.objects.filter(cancelled=booking).update(ended_at=now, draft=None)
    return change_status(booking=booking, event=BookingEvent.END_REBOOKING, actor=acting.actor, now=now)


def continue_rebooking(*, booking: Booking, actor: Actor, now: datetime) -> Booking | None:
    """The second half, in the transaction that learns of the cancellation, or of the new referral.

    None when nothing is planned, or it waits for a referral that goes anew.
    """
    # First, for it is a lock: whoever learns of the other half at this moment waits, and sees this one.
    progress = ports.renewal_progress.provider(booking, True)
    plans = Rebooking.objects.filter(cancelled=booking).select_related(
        "draft__service__provider", "draft__replaces"
    )
    plan = plans.first()
    if plan is None or plan.draft is None or (progress is not None and progress.waits):
        return None
    return book_draft(draft=plan.draft, patient=booking.patient, sender=identity_of(actor), now=now)
