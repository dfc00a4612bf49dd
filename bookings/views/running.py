"""What a service does with a booking that it received, the calls that follow, and where times are short."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.correspondence.states import Direction, TransitionRefused
from bars_portal.nhsuk.dates import format_end, format_time, in_london
from bars_portal.nhsuk.pages import RowPaginator
from bars_portal.patients.presenters import banner
from bookings import ports
from bookings.forms.bookings import (
    CallForm,
    CancelReceivedForm,
    CapacityForm,
    CloseWaitingForm,
    DiaryForm,
    MoveForm,
    NoteForm,
)
from bookings.models import Booking, WaitingEntry
from bookings.policies import check_can_move, check_can_run_booking
from bookings.presenters.bookings import short_name
from bookings.presenters.clinics import waiting_row
from bookings.presenters.diary import received_page
from bookings.presenters.slots import appointment_rows
from bookings.selectors.clinics import (
    alarms_of,
    came_free,
    free_within,
    hosted_services,
    open_calls,
    waiting_list,
)
from bookings.selectors.slots import free_slots_of
from bookings.services.clinics import end_alarm, set_alarm
from bookings.services.history import record_view, record_views
from bookings.services.running import (
    add_note,
    cancel_received,
    close_call,
    close_waiting,
    move_booking,
    record_attendance,
    record_looks,
)
from bookings.states import RUN_DIARY
from bookings.views.common import booking_of, clock
from bookings.views.diary import day_of

_MEANWHILE = "Somebody changed this booking at the same moment. This is how it stands now."
_CALL = "The sender has not been told: phone them, and record the call below."
_CALLS = 25


def _received(request: HttpRequest, booking_id: UUID) -> Booking:
    """One that this person may see, and whose diary they may change."""
    booking = booking_of(request, booking_id, Direction.RECEIVED)
    try:
        check_can_run_booking(acting_of(request), booking)
    except PolicyRefused:
        raise Http404 from None
    return booking


@require_safe
@permission_required("bookings.view_received_bookings")
def received(request: HttpRequest, booking_id: UUID) -> HttpResponse:
    booking, acting = booking_of(request, booking_id, Direction.RECEIVED), acting_of(request)
    now = clock()
    record_view(booking=booking, acting=acting, now=now)
    page = received_page(booking, acting=acting, now=now)
    forms = {"note_form": NoteForm(), "call_form": CallForm()}
    return render(request, "bookings/received.jinja", {"page": page, **forms})


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(RUN_DIARY)
def move(request: HttpRequest, booking_id: UUID) -> HttpResponse:
    """To another time or clinician of the same service: a day's free times at once."""
    booking, acting, now = _received(request, booking_id), acting_of(request), clock()
    try:
        check_can_move(acting, booking)
    except PolicyRefused as refusal:
        messages.info(request, refusal.sentence)
        return redirect("bookings:received", booking.pk)
    day_form = DiaryForm(request.GET if "day-day" in request.GET else None)
    is_asked = day_form.is_bound or "on" in request.GET
    day = day_of(request, day_form) if is_asked else max(in_london(booking.start), in_london(now)).date()
    slots = [
        (str(each.pk), f"{format_time(each.start)} to {format_end(each.end)}, {each.schedule.name}")
        for each in free_slots_of(booking.service, day, now=now)
    ]
    # A time that was chosen in the diary's table is ticked.
    form = MoveForm(
        request.POST if request.method == "POST" else None,
        slots=slots,
        initial={"slot": request.GET.get("slot", "")},
    )
    if request.method == "POST" and form.is_valid():
        try:
            move_booking(
                booking=booking,
                slot_id=UUID(form.cleaned_data["slot"]),
                reason=form.cleaned_data["reason"],
                acting=acting,
                now=now,
            )
            messages.success(request, f"The appointment is moved. {_CALL}")
            return redirect("bookings:received", booking.pk)
        except PolicyRefused as refusal:
            form.add_error("slot", refusal.sentence)
        except TransitionRefused:
            messages.info(request, _MEANWHILE)
            return redirect("bookings:received", booking.pk)
    record_view(booking=booking, acting=acting, now=now)
    context = {
        "booking": booking,
        "banner": banner(booking.patient),
        "appointment": appointment_rows(booking),
    }
    days = {
        "day_form": day_form,
        "day": day,
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1),
    }
    return render(request, "bookings/move.jinja", context | {"form": form, "slots": slots} | days)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(RUN_DIARY)
def cancel(request: HttpRequest, booking_id: UUID) -> HttpResponse:
    booking, acting, now = _received(request, booking_id), acting_of(request), clock()
    form = CancelReceivedForm(request.POST if request.method == "POST" else None)
    try:
        check_can_move(acting, booking)
        if request.method == "POST" and form.is_valid():
            reason = " ".join(form.cleaned_data["reason"].split())
            cancel_received(booking=booking, reason=reason, acting=acting, now=now)
            messages.success(request, f"The appointment is cancelled. {_CALL}")
            return redirect("bookings:received", booking.pk)
    except PolicyRefused as refusal:
        messages.info(request, refusal.sentence)
        return redirect("bookings:received", booking.pk)
    except TransitionRefused:
        messages.info(request, _MEANWHILE)
        return redirect("bookings:received", booking.pk)
    record_view(booking=booking, acting=acting, now=now)
    context = {
        "booking": booking,
        "banner": banner(booking.patient),
        "appointment": appointment_rows(booking),
    }
    return render(request, "bookings/cancel_received.jinja", context | {"form": form})


@require_POST
@permission_required(RUN_DIARY)
def attendance(request: HttpRequest, booking_id: UUID) -> HttpResponse:
    """Where it tells who referred, that is shown first."""
    booking, acting, now = _received(request, booking_id), acting_of(request), clock()
    attended = request.POST.get("attended") == "yes"
    ending = [] if attended else ports.ended_by_absence.provider(booking, acting, now)
    if ending and request.POST.getlist("ends") != [each.href for each in ending]:
        record_view(booking=booking, acting=acting, now=now)
        context = {"booking": booking, "banner": banner(booking.patient), "ending": ending}
        context["appointment"] = appointment_rows(booking)
        return render(request, "bookings/did_not_attend.jinja", context)
    try:
        told = record_attendance(booking=booking, attended=attended, acting=acting, now=now)
        words = "attended" if attended else "did not attend"
        more = " The referral is over, and who referred is told." if told else ""
        messages.success(request, f"Recorded: the patient {words}.{more}")
    except PolicyRefused as refusal:
        messages.error(request, refusal.sentence)
    except TransitionRefused:
        messages.info(request, "This was recorded already.")
    return redirect("bookings:received", booking.pk)


@require_POST
@permission_required(RUN_DIARY)
def note(request: HttpRequest, booking_id: UUID) -> HttpResponse:
    booking, form = _received(request, booking_id), NoteForm(request.POST)
    if not form.is_valid():
        messages.error(request, form.summary()[0].text)
        return redirect("bookings:received", booking.pk)
    try:
        text = " ".join(form.cleaned_data["note"].split())
        add_note(booking=booking, text=text, acting=acting_of(request), now=clock())
        messages.success(request, "The note is in the history below.")
    except TransitionRefused:
        messages.error(request, "This appointment is over, so no note can be added.")
    return redirect("bookings:received", booking.pk)


@require_safe
@permission_required(RUN_DIARY)
def calls(request: HttpRequest) -> HttpResponse:
    """Whom to phone, oldest first."""
    acting = acting_of(request)
    page = RowPaginator(open_calls(acting), _CALLS).get_page(request.GET.get("page"))
    to_make = list(page.object_list)
    record_views(bookings=[each.booking for each in to_make], acting=acting, now=clock())
    rows = [{"call": each, "patient": short_name(each.booking)} for each in to_make]
    return render(request, "bookings/calls.jinja", {"rows": rows, "page": page})


@require_POST
@permission_required(RUN_DIARY)
def made_call(request: HttpRequest, call_id: UUID) -> HttpResponse:
    acting, form = acting_of(request), CallForm(request.POST)
    call = open_calls(acting).filter(pk=call_id).first()
    if call is None:
        raise Http404
    if not form.is_valid():
        messages.error(request, form.summary()[0].text)
    else:
        try:
            close_call(call=call, spoke_to=form.cleaned_data["spoke_to"], acting=acting, now=clock())
            messages.success(request, "Recorded: the sender has been phoned.")
        except PolicyRefused as refusal:
            messages.info(request, refusal.sentence)
    return redirect("bookings:received", call.booking_id)


# -- too few free slots, and who found no time


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
def take_off(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    return _take_off(request, entry_id, waiting_list, "bookings:waiting")


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("bookings.book_slot")
def take_off_own(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    return _take_off(request, entry_id, came_free, "bookings:free-again")


def _take_off(
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
