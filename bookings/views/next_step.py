"""Where a draft goes on: every page that changes one ends here."""

from django.http import HttpResponse
from django.shortcuts import redirect

from bookings.models import BookingDraft
from bookings.policies import lacks_approval
from bookings.states import BookingStatus


def redirect_to_next_step(draft: BookingDraft) -> HttpResponse:
    """An approval, then the patient; a rebooking that still has an appointment to cancel asks for that."""
    if lacks_approval(draft):
        return redirect("bookings:approval", draft.pk)
    if draft.replaces is not None and draft.replaces.status == BookingStatus.BOOKED:
        return redirect("bookings:rebook-confirm", draft.pk)
    return redirect("bookings:check" if draft.patient_data else "bookings:patient", draft.pk)
