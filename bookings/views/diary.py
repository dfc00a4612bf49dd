"""The diary of a service by day and week, its list on paper and as a file, and what is done to its slots."""

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.audit.services import record
from bars_portal.nhsuk.dates import format_date, format_time, in_london
from bars_portal.nhsuk.documents import csv_lines
from bars_portal.patients.presenters import banner
from bookings.forms.bookings import (
    AddSlotsForm,
    DiaryForm,
    FeedForm,
    RangeForm,
)
from bookings.mapping.slots import CalendarEntry, diary_calendar
from bookings.models import DiaryBlock, Schedule, SlotStatus
from bookings.presenters.clinics import affected_bookings
from bookings.presenters.diary import DiaryLine, DiaryPage, diary_page
from bookings.selectors.clinics import (
    feed_of,
    feed_slots,
    feeds_of,
    hosted_services,
    open_calls,
    waiting_list,
)
from bookings.selectors.slots import booked_between, diaries_of, diary_services, slots_between
from bookings.services.diaries import add_slots, block_range, digest_of, free_range, make_feed, revoke_feed
from bookings.services.history import record_views
from bookings.states import RUN_DIARY
from bookings.views.common import clock, today
from directory.models import HealthcareService

_LAST_SERVICE = "diary_service"
_WEEK = 7
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")


@require_safe
@permission_required("bookings.view_diary")
def diary(request: HttpRequest) -> HttpResponse:
    """Today first, and the service that this person looked at last."""
    acting = acting_of(request)
    services = list(diary_services(acting))
    form = DiaryForm(request.GET if "day-day" in request.GET else None)
    service = _service(request, services)
    if service is None:
        return render(request, "bookings/diary_none.jinja", {"may_run": acting.may(RUN_DIARY)})
    if "service" in request.GET:
        request.session[_LAST_SERVICE] = service.service_id
    page = _page(request, service, form)
    record(actor=acting.actor, action="bookings.view_diary", subject=service, now=clock())
    context = {"form": form, "page": page, "services": services, "may_run": acting.may(RUN_DIARY)}
    counts = {"calls": open_calls(acting).count(), "waiting": waiting_list(acting, now=clock()).count()}
    return render(request, "bookings/diary.jinja", context | counts)


def _page(request: HttpRequest, service: HealthcareService, form: DiaryForm) -> DiaryPage:
    return diary_page(
        service=service,
        day=day_of(request, form),
        days=_WEEK if request.GET.get("view") == "week" else 1,
        chosen=request.GET.getlist("diary"),
        acting=acting_of(request),
    )


def _service(request: HttpRequest, services: list[HealthcareService]) -> HealthcareService | None:
    asked = request.GET.get("service") or request.session.get(_LAST_SERVICE, "")
    return next((each for each in services if each.service_id == asked), next(iter(services), None))


def day_of(request: HttpRequest, form: DiaryForm) -> date:
    """What was typed into the form, else by `?on=`, else today."""
    if form.is_bound and form.is_valid() and form.cleaned_data["day"]:
        return date.fromisoformat(str(form.cleaned_data["day"]))
    return day_asked(request)


def day_asked(request: HttpRequest) -> date:
    """By `?on=`; today when it says nothing sensible."""
    try:
        asked = date.fromisoformat(request.GET.get("on", ""))
    except ValueError:
        return today()
    return min(max(asked, today() - timedelta(days=3650)), today() + timedelta(days=3650))


def _shown_service(request: HttpRequest) -> HealthcareService:
    service = _service(request, list(diary_services(acting_of(request))))
    if service is None:
        raise Http404
    return service


@require_safe
@permission_required("bookings.view_received_bookings")
def clinic_list(request: HttpRequest) -> HttpResponse:
    """Who comes, to print."""
    page, acting = _page(request, _shown_service(request), DiaryForm(None)), acting_of(request)
    record(actor=acting.actor, action="bookings.print_clinic_list", subject=page.service, now=clock())
    rows = [{"line": line, "banner": banner(line.booking.patient)} for line in page.lines if line.booking]
    return render(request, "bookings/clinic_list.jinja", {"page": page, "rows": rows})


@require_safe
@permission_required("bookings.view_received_bookings")
def as_csv(request: HttpRequest) -> HttpResponse:
    """Every slot of the days that are shown, a line each."""
    page, acting = _page(request, _shown_service(request), DiaryForm(None)), acting_of(request)
    record(actor=acting.actor, action="bookings.export_diary", subject=page.service, now=clock())
    columns = ("Date", "Start", "End", "Diary", "State", "Reference", "Name", "NHS number", "Booked by")
    lines = csv_lines(columns, _file_rows(page.lines))
    response = HttpResponse("".join(lines), content_type="text/csv; charset=utf-8")
    name = f"diary-{page.service.service_id}-{page.day:%Y-%m-%d}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _file_rows(lines: Iterable[DiaryLine]) -> Iterator[tuple[str, ...]]:
    for line in lines:
        booked = line.booking
        yield (
            format_date(line.start),
            format_time(line.start),
            line.until,
            line.schedule,
            line.status,
            booked.reference if booked else "",
            line.patient,
            booked.patient.nhs_number if booked else "",
            (booked.sender_name or booked.sender_ods_code) if booked else "",
        )


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(RUN_DIARY)
def block(request: HttpRequest) -> HttpResponse:
    """Block or free a stretch: first what that does and whom it meets, then the yes."""
    service, acting = _shown_service(request), acting_of(request)
    diaries = list(diaries_of(acting, service))
    options = [(str(each.pk), each.name) for each in diaries]
    given = request.POST if request.method == "POST" else None
    day = day_asked(request)
    named = [key for key, _ in options if key in request.GET.getlist("diary")]
    initial = {
        "act": "free" if request.GET.get("act") == "free" else "block",
        "first_day": day,
        "diaries": named or [key for key, _ in options][:1],
        "from_time": _time_asked(request, "from"),
        "to_time": _time_asked(request, "to"),
    }
    form = RangeForm(given, diaries=options, initial=initial)
    context: dict[str, Any] = {"form": form, "service": service}
    step = request.POST.get("step")
    if given is None or step == "edit" or not form.is_valid():
        return render(request, "bookings/block.jinja", context)
    told, now = form.cleaned_data, clock()
    chosen = [each.pk for each in diaries if str(each.pk) in told["diaries"]]
    frees = told["act"] == "free"
    if step != "apply":
        return render(
            request, "bookings/block_check.jinja", context | _range_facts(request, form, chosen, frees, now)
        )
    change = free_range if frees else block_range
    changed = change(
        diaries=chosen,
        start=form.start,
        end=form.end,
        reason=told["reason"],
        actor=acting.actor,
        now=now,
    )
    word = "offered again" if frees else "blocked"
    still = 0 if frees else booked_between(chosen, start=form.start, end=form.end).count()
    patients = "1 patient is" if still == 1 else f"{still} patients are"
    more = f" {patients} still booked in this time: move or cancel each appointment." if still else ""
    messages.success(request, f"{changed} {'slot is' if changed == 1 else 'slots are'} {word}.{more}")
    return _to_day(service, in_london(form.start).date())


def _time_asked(request: HttpRequest, name: str) -> str:
    """By the address, as the diary's table writes it; "" when it is no time."""
    asked = request.GET.get(name, "")
    return asked if _CLOCK.fullmatch(asked) else ""


def _range_facts(
    request: HttpRequest, form: RangeForm, chosen: list[Any], frees: bool, now: datetime
) -> dict[str, Any]:
    slots = slots_between(chosen, start=form.start, end=form.end)
    met = [] if frees else list(booked_between(chosen, start=form.start, end=form.end))
    record_views(bookings=met, acting=acting_of(request), now=now)
    status = SlotStatus.BUSY_UNAVAILABLE if frees else SlotStatus.FREE
    return {
        "frees": frees,
        "start": form.start,
        "end": form.end,
        "count": slots.filter(status=status).count(),
        "affected": affected_bookings(met),
        "kept": kept_fields(request),
        "names": Schedule.objects.filter(pk__in=chosen).order_by("name"),
    }


def kept_fields(request: HttpRequest) -> list[tuple[str, str]]:
    """What was sent, for a page that asks for a yes and sends it along."""
    left_out = {"csrfmiddlewaretoken", "step", "seen"}
    return [
        (name, value) for name in request.POST if name not in left_out for value in request.POST.getlist(name)
    ]


@require_POST
@permission_required(RUN_DIARY)
def free_block(request: HttpRequest, block_id: int) -> HttpResponse:
    """End one block, as a whole."""
    acting = acting_of(request)
    ours = DiaryBlock.objects.filter(schedule__service__provider=acting.organisation)
    found = ours.select_related("schedule__service").filter(pk=block_id, ended_at=None).first()
    if found is None:
        raise Http404
    changed = free_range(
        diaries=[found.schedule_id], start=found.start, end=found.end, actor=acting.actor, now=clock()
    )
    messages.success(request, f"{changed} {'slot is' if changed == 1 else 'slots are'} offered again.")
    return _to_day(found.schedule.service, in_london(found.start).date())


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(RUN_DIARY)
def add(request: HttpRequest) -> HttpResponse:
    """Slots beside the plan, which no later plan takes away."""
    service, acting = _shown_service(request), acting_of(request)
    diaries = list(diaries_of(acting, service).filter(active=True))
    given = request.POST if request.method == "POST" else None
    form = AddSlotsForm(
        given,
        diaries=[(str(each.pk), each.name) for each in diaries],
        today=today(),
        initial={"day": max(day_asked(request), today()), "minutes": "15"},
    )
    if given is None or not form.is_valid():
        return render(request, "bookings/add_slots.jinja", {"form": form, "service": service})
    diary_named = next(each for each in diaries if str(each.pk) == form.cleaned_data["diary"])
    made = add_slots(schedule=diary_named, times=form.times, actor=acting.actor, now=clock())
    left = f" {made.left_out} were left out: slots that are there run into them." if made.left_out else ""
    messages.success(request, f"{made.made} {'slot is' if made.made == 1 else 'slots are'} added.{left}")
    return _to_day(service, form.cleaned_data["day"])


def _to_day(service: HealthcareService, day: date) -> HttpResponse:
    query = {"service": service.service_id, "on": day.isoformat()}
    return redirect(reverse("bookings:diary", query=query))


# -- feeds, from which calendars read it


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(RUN_DIARY)
def feeds(request: HttpRequest) -> HttpResponse:
    """The address is in the answer that made it, and nowhere else."""
    acting, now, link = acting_of(request), clock(), ""
    services = hosted_services(acting)
    options = [(each.service_id, each.name) for each in services]
    form = FeedForm(request.POST if request.method == "POST" else None, services=options)
    if request.method == "POST" and form.is_valid():
        service = next(each for each in services if each.service_id == form.cleaned_data["service"])
        secret = make_feed(service=service, days=int(form.cleaned_data["days"]), acting=acting, now=now)
        # In the query: no log of ours has that part of an address.
        link = request.build_absolute_uri(reverse("bookings:feed", query={"key": secret}))
        form = FeedForm(services=options)
    context = {"form": form, "link": link, "feeds": feeds_of(acting, now=now)}
    return render(request, "bookings/feeds.jinja", context)


@require_POST
@permission_required(RUN_DIARY)
def close_feed(request: HttpRequest, feed_id: UUID) -> HttpResponse:
    acting, now = acting_of(request), clock()
    found = feeds_of(acting, now=now).filter(pk=feed_id).first()
    if found is None:
        raise Http404
    try:
        revoke_feed(feed=found, acting=acting, now=now)
        messages.success(request, "The address is closed: it shows nothing any more.")
    except PolicyRefused as refusal:
        messages.info(request, refusal.sentence)
    return redirect("bookings:feeds")


@never_cache
@require_safe
def feed(request: HttpRequest) -> HttpResponse:
    """For calendars, which do not sign in: who has the secret reads times and references, no patient."""
    now = clock()
    found = feed_of(digest_of(request.GET.get("key", "")), now=now)
    if found is None:
        raise Http404
    entries = [
        CalendarEntry(
            id=str(slot.pk),
            start=slot.start,
            end=slot.end,
            status=SlotStatus(slot.status).label,
            diary=slot.schedule.name,
            reference=reference,
            changed=slot.updated_at,
        )
        for slot, reference in feed_slots(found, now=now)
    ]
    body = diary_calendar(found.service.name, entries)
    return HttpResponse(body, content_type="text/calendar; charset=utf-8")
