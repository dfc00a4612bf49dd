"""Cancel first, then book anew: the plan is written down before the first message goes out."""

from datetime import datetime

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.audit.actor import Actor
from bookings import policies
from bookings.latest import LatestAppointment
from bookings.models import Booking, BookingDraft, Rebooking
from bookings.services.cancelling import request_cancel
from bookings.services.requesting import book_draft
from bookings.states import BookingStatus
from directory.remote import identity_of


@transaction.atomic
def start_rebooking(
    *,
    booking: Booking,
    latest: LatestAppointment,
    draft: BookingDraft,
    reason: str,
    acting: Acting,
    now: datetime,
) -> Rebooking:
    """Write the plan and ask for the cancellation; `draft` holds the new time and replaces `booking`.

    The new booking goes out by itself once the old one is cancelled, for the same patient in the same
    journey; at once when the old one is cancelled already. Raises PolicyRefused and TransitionRefused.
    """
    # Whoever rebooks the same appointment at this moment waits here, and is then refused.
    Booking.objects.select_for_update().get(pk=booking.pk)
    policies.check_can_rebook(acting, booking, now)
    policies.check_can_book(acting, draft.service)
    policies.check_draft_is_told(draft, now)
    policies.check_time_frame(draft)
    if draft.replaces_id != booking.pk:
        raise policies.PolicyRefused("This new time was chosen for another appointment.")
    if booking.status != BookingStatus.CANCELLED.value:
        request_cancel(booking=booking, latest=latest, reason=reason, acting=acting, now=now)
    # Both are written before the message goes out, which is when this transaction commits.
    defaults = {"draft": draft, "started_at": now}
    plan, _ = Rebooking.objects.update_or_create(cancelled=booking, defaults=defaults)
    if booking.status == BookingStatus.CANCELLED.value:
        continue_rebooking(booking=booking, actor=acting.actor, now=now)
    plan.refresh_from_db()
    return plan


def continue_rebooking(*, booking: Booking, actor: Actor, now: datetime) -> Booking | None:
    """The second half, in the transaction that learns of the cancellation. None when nothing is planned."""
    plans = Rebooking.objects.filter(cancelled=booking).select_related(
        "draft__service__provider", "draft__replaces"
    )
    plan = plans.first()
    if plan is None or plan.draft is None:
        return None
    return book_draft(draft=plan.draft, patient=booking.patient, sender=identity_of(actor), now=now)
