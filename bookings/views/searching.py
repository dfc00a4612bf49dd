"""The times a service really has, asked of its receiver each time; choosing one begins a draft."""

from datetime import date, datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.permissions import PolicyRefused, why_not
from bars_portal.audit.services import record
from bars_portal.exchange.circuits import not_answering
from bars_portal.exchange.gateway.client import client_for_page
from bars_portal.nhsuk.dates import LONDON
from bars_portal.patients.models import Journey
from bars_portal.patients.selectors import details_of, journey_of, newest_patient
from bars_portal.patients.typed import answers_from
from bookings import ports
from bookings.forms.bookings import ChosenSlotForm, FirstDayForm
from bookings.mapping.offers import OfferedSlot
from bookings.models import Booking, BookingDraft
from bookings.policies import check_accepts_bookings, check_can_book, check_can_rebook, check_reachable
from bookings.presenters.slots import SlotPage, first_times, use_case_options, usual_route
from bookings.selectors.sent import draft_for, later_booking, rebooking_of
from bookings.services.history import record_view
from bookings.services.requesting import change_draft_slot, open_draft, save_draft_patient
from bookings.services.running import find_times
from bookings.slots import DAYS_SHOWN, FURTHEST, GONE, compare_services, days_from, still_offered
from bookings.states import BookingStatus
from bookings.views.common import (
    ask_first,
    clock,
    draft_or_outcome,
    redirect_to_next_step,
    redirect_to_outcome,
    sent_booking,
    today,
)
from directory.models import HealthcareService
from directory.presenters import not_answering_note
from directory.remote import sender_identity
from directory.selectors.services import service_by_id
from directory.services.entries import clear_capability

# As many as a page of the directory lists.
_COMPARED = 20


@require_safe
@permission_required("bookings.search_slots")
def compare(request: HttpRequest) -> HttpResponse:
    """The first free time of each service that the address names: all are asked at once, none for long."""
    ids, now = dict.fromkeys(request.GET.getlist("service")), clock()
    services = [found for each in list(ids)[:_COMPARED] if (found := service_by_id(each)) is not None]
    searches = compare_services(
        client_for_page(request),
        services=services,
        start=now,
        end=now + timedelta(days=DAYS_SHOWN),
        sender=sender_identity(acting_of(request)),
        now=now,
    )
    context = {"rows": first_times(searches), "again": request.get_full_path(), "days": DAYS_SHOWN}
    return render(request, "bookings/compare.jinja", context)


@require_POST
@permission_required("bookings.book_slot")
def ask_again(request: HttpRequest, service_id: str) -> HttpResponse:
    """What the service said is forgotten: the page of its times asks it anew."""
    service = service_by_id(service_id)
    if service is None:
        raise Http404
    clear_capability(service=service)
    return redirect("bookings:slots", service.service_id)


# (code, words) of what may be booked.
Options = list[tuple[str, str]]


@require_http_methods(["GET", "POST"])
@permission_required("bookings.search_slots")
def slots(request: HttpRequest, service_id: str) -> HttpResponse:
    service = service_by_id(service_id)
    if service is None:
        raise Http404
    moved = _moved_on(request)
    if moved is not None:
        return moved
    capability = None
    try:
        check_can_book(acting_of(request), service)
        check_reachable(service, clock())
        capability = ask_first(request, service)
        check_accepts_bookings(service, capability)
    except PolicyRefused as refusal:
        context = {"service": service, "reason": refusal.sentence, "capability": capability}
        return render(request, "bookings/not_bookable.jinja", context)
    if request.method == "POST":
        return _choose(request, service, use_case_options(service, capability))
    return _show(request, service, use_case_options(service, capability))


def _moved_on(request: HttpRequest) -> HttpResponse | None:
    """What the time is for has one already, or may have none: no times are offered that nobody can take."""
    draft_id, before = _uuid(request.GET.get("draft", "")), _booking(request)
    draft = draft_or_outcome(request, draft_id) if draft_id else None
    if isinstance(draft, HttpResponse):
        return draft
    later = later_booking(before) if before is not None and before.status == BookingStatus.REFUSED else None
    if later is not None:
        messages.info(request, "Another appointment was asked for instead.")
        return redirect_to_outcome(later)
    replaced = _replaced(before) if before is not None else None
    if replaced is None:
        return None
    obstacle = why_not(lambda: check_can_rebook(acting_of(request), replaced, clock()))
    if not obstacle:
        return None
    messages.info(request, obstacle)
    return redirect_to_outcome(replaced)


def _show(
    request: HttpRequest, service: HealthcareService, use_cases: Options, *, error: str = ""
) -> HttpResponse:
    form = FirstDayForm(request.GET if "first_day-day" in request.GET else None, today=today())
    first = _first_day(request, form)
    context = {
        "form": form,
        "service": service,
        "page": slot_page(request, service, first, journey=_case(request)),
        "not_answering": _not_answering(service),
        "use_cases": use_cases if _is_route_asked(request, service) else [],
        "kept": _kept(request),
        "error": error,
        "page_has_errors": bool(error),
    }
    return render(request, "bookings/slots.jinja", context, status=409 if error else 200)


def slot_page(
    request: HttpRequest, service: HealthcareService, first: date, *, journey: Journey | None
) -> SlotPage:
    """The days from `first` on, or from today when that is past; asked over the wire, for the case."""
    first, now = max(first, today()), clock()
    begin, end = days_from(first, days=DAYS_SHOWN)
    found = find_times(
        client_for_page(request),
        service=service,
        start=max(begin, now),
        end=end,
        acting=acting_of(request),
        now=now,
        journey=journey,
    )
    return SlotPage(found, first, today())


def _not_answering(service: HealthcareService) -> str:
    """After the search, which may have shown that it answers again."""
    return not_answering_note(not_answering([service.service_id]).get(service.service_id), clock())


def _choose(request: HttpRequest, service: HealthcareService, use_cases: Options) -> HttpResponse:
    form = ChosenSlotForm(request.POST)
    chosen = _still_offered(request, service, form) if form.is_valid() else GONE
    if isinstance(chosen, str):
        return _show(request, service, use_cases, error=chosen)
    codes, asked = [code for code, _ in use_cases], form.cleaned_data["use_case"]
    use_case = asked if asked in codes else usual_route(codes, _journey(request), service)
    return _begin(request, service, chosen, use_case)


def _begin(
    request: HttpRequest, service: HealthcareService, chosen: OfferedSlot, use_case: str
) -> HttpResponse:
    """Another time for the draft or booking of the page's address, or a new draft."""
    draft = _draft(request)
    if draft is not None and draft.service_id == service.pk:
        change_draft_slot(draft=draft, chosen=chosen, now=clock())
        return redirect_to_next_step(draft)
    before, journey = _booking(request), _journey(request)
    if before is not None and before.status == BookingStatus.REFUSED:
        # The case goes on, with its time frame and its referral.
        journey = before.journey
    try:
        opened = open_draft(
            acting=acting_of(request),
            service=service,
            use_case=before.use_case if before is not None else use_case,
            chosen=chosen,
            now=clock(),
            replaces=_replaced(before) if before is not None else None,
            journey=journey,
        )
    except PolicyRefused as refusal:
        messages.info(request, refusal.sentence)
        return _back(service, before)
    known = before.patient if before is not None else newest_patient(journey)
    if known is not None:
        _record_look(request, before, journey)
        answers = answers_from(details_of(known))
        save_draft_patient(draft=opened, patient_data=answers, now=clock())
    return redirect_to_next_step(opened)


def _record_look(request: HttpRequest, before: Booking | None, journey: Journey | None) -> None:
    """Who the new time is for is taken over, with everything that is known about them."""
    acting, now = acting_of(request), clock()
    if before is not None:
        record_view(booking=before, acting=acting, now=now)
    elif journey is not None:
        record(actor=acting.actor, action="bookings.view_journey", subject=journey, now=now)


def _replaced(before: Booking) -> Booking | None:
    """The appointment that the new time is for: never a refused one, but what that one was for."""
    if before.status != BookingStatus.REFUSED:
        return before
    plan = rebooking_of(before)
    return plan.cancelled if plan is not None and plan.booked_id == before.pk else None


def _back(service: HealthcareService, before: Booking | None) -> HttpResponse:
    if before is not None:
        return redirect("bookings:detail", before.pk)
    return redirect("bookings:slots", service.service_id)


def _still_offered(
    request: HttpRequest, service: HealthcareService, form: ChosenSlotForm
) -> OfferedSlot | str:
    """The search is repeated: what was on the page may be taken or moved by now. Else what to tell."""
    slot_id, _, text = form.cleaned_data["slot"].partition("|")
    try:
        start = datetime.fromisoformat(text).astimezone(LONDON)
    except (ValueError, OverflowError):
        return GONE
    found = still_offered(
        client_for_page(request),
        service=service,
        slot_id=slot_id,
        start=start,
        sender=sender_identity(acting_of(request)),
        now=clock(),
    )
    if isinstance(found, OfferedSlot):
        return found
    if found.problem is not None:
        messages.warning(request, found.problem.sentence)
    return found.sentence


def _first_day(request: HttpRequest, form: FirstDayForm) -> date:
    """From the form, else from the pages' own links (`?from=2026-11-21`), else today."""
    if form.is_bound and form.is_valid():
        return date.fromisoformat(str(form.cleaned_data["first_day"]))
    try:
        asked = date.fromisoformat(request.GET.get("from", ""))
    except ValueError:
        return today()
    return max(today(), min(asked, today() + FURTHEST))


def _is_route_asked(request: HttpRequest, service: HealthcareService) -> bool:
    """Nobody asks it of a time that is chosen anew, nor of a case that was referred to the service."""
    if request.GET.get("draft") or request.GET.get("instead"):
        return False
    journey = _journey(request)
    return journey is None or not ports.route.provider(journey, service)


def _kept(request: HttpRequest) -> str:
    """What the page's own links and form must carry on: whose time is being chosen."""
    named = {name: request.GET[name] for name in ("draft", "instead", "journey") if request.GET.get(name)}
    return urlencode(named)


def _draft(request: HttpRequest) -> BookingDraft | None:
    """The draft whose time is being changed (`?draft=<id>`)."""
    found = _uuid(request.GET.get("draft", ""))
    return draft_for(acting_of(request), found) if found else None


def _booking(request: HttpRequest) -> Booking | None:
    """The booking that a new time is chosen for (`?instead=<id>`): refused, or to be rebooked."""
    found = _uuid(request.GET.get("instead", ""))
    return sent_booking(request, found) if found else None


def _journey(request: HttpRequest) -> Journey | None:
    """The case that a time is chosen for (`?journey=<id>`): it began with a request of ours."""
    found = _uuid(request.GET.get("journey", ""))
    if found is None:
        return None
    journey = journey_of(acting_of(request).organisation, found)
    if journey is None:
        raise Http404
    return journey


def _case(request: HttpRequest) -> Journey | None:
    """The case that the page's address names in whichever way."""
    before, draft = _booking(request), _draft(request)
    if before is not None:
        return before.journey
    return draft.journey if draft is not None else _journey(request)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
