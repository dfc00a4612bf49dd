"""The journey of a patient's case: bookings, requests, answers and replies on one page."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from bars_portal.accounts.acting import Acting, acting_of
from bars_portal.accounts.decorators import refuse, sign_in_required
from bars_portal.patients.presenters import banner
from bars_portal.patients.selectors import patients_of_journey
from bookings.permissions import VIEW as VIEW_BOOKINGS
from referrals import services
from referrals.permissions import VIEW
from referrals.presenters.journey import timeline_lines
from referrals.selectors import journey_for, timeline_of
from referrals.states import Direction
from referrals.views.lookup import clock


@require_safe
@sign_in_required
def journey(request: HttpRequest, journey_id: UUID) -> HttpResponse:
    """Whoever may see any side of it sees that side. `?utc=1`: in UTC, for staff who read logs."""
    acting: Acting | None = getattr(request, "acting", None)
    wanted = [*VIEW.values(), *VIEW_BOOKINGS.values()]
    if acting is None or not any(acting.may(each) for each in wanted):
        refuse(request, VIEW[Direction.SENT])
    acting = acting_of(request)
    found = journey_for(acting, journey_id)
    if found is None:
        raise Http404
    entries = timeline_of(acting, found)
    if not entries:
        raise Http404
    services.record_journey_view(journey=found, acting=acting, now=clock())
    utc = "utc" in request.GET
    patient = patients_of_journey(found).first()
    context = {
        "journey": found,
        "banner": banner(patient) if patient else None,
        "lines": timeline_lines(entries, utc=utc),
        "utc": utc,
    }
    return render(request, "referrals/journey.jinja", context)
