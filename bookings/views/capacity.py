"""Too few free slots: alarms of services, who waits for a time of one, and for whom one is free now."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.permissions import PolicyRefused
from bookings.forms.bookings import CapacityForm, CloseWaitingForm
from bookings.models import WaitingEntry
from bookings.presenters.clinics import waiting_row
from bookings.selectors.clinics import alarms_of, came_free, free_within, hosted_services, waiting_list
from bookings.services.capacity import close_waiting, end_alarm, record_looks, set_alarm
from bookings.states import RUN_DIARY
from bookings.views.common import clock


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(RUN_DIARY)
def capacity(request: HttpRequest) -> HttpResponse:
    """Alarms for services that run out of free slots: those that are set, and a form to set one."""
    acting, now = acting_of(request), clock()
    services = hosted_services(acting)
    options = [(each.service_id, each.name) for each in services]
    form = CapacityForm(request.POST if request.method == "POST" else None, services=options)
    if request.method == "POST" and form.is_valid():
        stated = form.cleaned_data
        service = next(each for each in services if each.service_id == stated["service"])
        set_alarm(
            service=service, least=int(stated["least"]), hours=int(stated["hours"]), acting=acting, now=now
        )
        messages.success(request, f"The alarm of {service.name} is set.")
        return redirect("bookings:capacity")
    found, is_raised = alarms_of(acting), "raised" in request.GET
    found = found.filter(raised_at__isnull=False) if is_raised else found
    rows = [(each, free_within(each, now=now)) for each in found]
    context = {"form": form, "rows": rows, "raised": is_raised}
    return render(request, "bookings/capacity.jinja", context)


@require_POST
@permission_required(RUN_DIARY)
def end_capacity_alarm(request: HttpRequest, alarm_id: int) -> HttpResponse:
    acting = acting_of(request)
    found = alarms_of(acting).filter(pk=alarm_id).first()
    if found is None:
        raise Http404
    end_alarm(alarm=found, acting=acting, now=clock())
    messages.success(request, f"The alarm of {found.service.name} is removed.")
    return redirect("bookings:capacity")


@require_safe
@permission_required(RUN_DIARY)
def waiting(request: HttpRequest) -> HttpResponse:
    """Who found no time of our services today. Names patients only as far as the service was sent them."""
    acting, now, free_only = acting_of(request), clock(), "free" in request.GET
    entries = list(waiting_list(acting, now=now, free_only=free_only))
    record_looks(entries=[each for each in entries if each.booking], acting=acting, now=now)
    rows = [waiting_row(each, is_own=False) for each in entries]
    return render(request, "bookings/waiting.jinja", {"rows": rows, "free_only": free_only})


@require_safe
@permission_required("bookings.book_slot")
def free_again(request: HttpRequest) -> HttpResponse:
    """What this person found no time for today, and one is free now."""
    acting, now = acting_of(request), clock()
    entries = list(came_free(acting, now=now))
    record_looks(entries=entries, acting=acting, now=now)
    rows = [waiting_row(each, is_own=True) for each in entries]
    return render(request, "bookings/free_again.jinja", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(RUN_DIARY)
def close(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    return _close(request, entry_id, waiting_list, "bookings:waiting")


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("bookings.book_slot")
def close_own(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    return _close(request, entry_id, came_free, "bookings:free-again")


def _close(
    request: HttpRequest,
    entry_id: UUID,
    listed: Callable[..., QuerySet[WaitingEntry]],
    back: str,
) -> HttpResponse:
    """Asks why, once; `listed` are those that this person may take off."""
    acting, now = acting_of(request), clock()
    entry = listed(acting, now=now).filter(pk=entry_id).first()
    if entry is None:
        messages.info(request, "This is on the list no more.")
        return redirect(back)
    form = CloseWaitingForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            close_waiting(entry=entry, reason=form.cleaned_data["reason"], acting=acting, now=now)
            messages.success(request, "It is off the list.")
        except PolicyRefused as refusal:
            messages.info(request, refusal.sentence)
        return redirect(back)
    is_own = back == "bookings:free-again"
    row = waiting_row(entry, is_own=is_own)
    record_looks(entries=[entry] if row.patient else [], acting=acting, now=now)
    context = {"form": form, "row": row, "back": back, "is_own": is_own}
    return render(request, "bookings/close_waiting.jinja", context)
