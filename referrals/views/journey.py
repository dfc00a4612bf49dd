"""The journey of a patient's case: bookings, requests, answers and replies on one page."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from bars_portal.accounts.acting import Acting, acting_of
from bars_portal.accounts.decorators import refuse, sign_in_required
from bars_portal.patients.models import Journey
from bars_portal.patients.presenters import banner
from bars_portal.patients.selectors import patients_of_journey
from bookings.states import VIEW_PERMISSION as VIEW_BOOKINGS
from referrals import services
from referrals.permissions import VIEW
from referrals.presenters.journey import timeline_lines
from referrals.presenters.sent_message import sent_message_page
from referrals.selectors import journey_for, sent_message_for, timeline_of
from referrals.states import Direction
from referrals.views.lookup import clock, whole_number


@require_safe
@sign_in_required
def journey(request: HttpRequest, journey_id: UUID) -> HttpResponse:
    """Whoever may see any side of it sees that side. `?utc=1`: in UTC, for staff who read logs."""
    found = _journey(request, journey_id)
    acting = acting_of(request)
    entries = timeline_of(acting, found)
    if not entries:
        raise Http404
    services.record_journey_view(journey=found, acting=acting, now=clock())
    utc = "utc" in request.GET
    context = {**_about(found), "lines": timeline_lines(entries, utc=utc), "utc": utc}
    return render(request, "referrals/journey.jinja", context)


@require_safe
@sign_in_required
def sent_message(request: HttpRequest, journey_id: UUID, message_id: UUID) -> HttpResponse:
    """What was sent, and what came back. `?answer=<number of the attempt>`: that answer, read whole."""
    found, acting = _journey(request, journey_id), acting_of(request)
    message = sent_message_for(acting, found, message_id)
    if message is None:
        raise Http404
    services.record_sent_message_view(message=message, acting=acting, now=clock())
    answer = whole_number(request.GET.get("answer", ""), default=0)
    page = sent_message_page(message, answer=answer, now=clock())
    context = {**_about(found), "page": page, "message_id": message.pk}
    return render(request, "referrals/sent_message.jinja", context)


def _journey(request: HttpRequest, journey_id: UUID) -> Journey:
    acting: Acting | None = getattr(request, "acting", None)
    wanted = [*VIEW.values(), *VIEW_BOOKINGS.values()]
    if acting is None or not any(acting.may(each) for each in wanted):
        refuse(request, VIEW[Direction.SENT])
    found = journey_for(acting_of(request), journey_id)
    if found is None:
        raise Http404
    return found


def _about(journey: Journey) -> dict[str, Any]:
    patient = patients_of_journey(journey).first()
    return {"journey": journey, "banner": banner(patient) if patient else None}
