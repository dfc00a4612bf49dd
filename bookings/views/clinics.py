"""The clinics of an organisation: made and changed with a preview first, undone, switched off and on."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.permissions import PolicyRefused
from bookings.forms.clinics import ClinicForm, shown_in_form
from bookings.models import Booking, Clinic, Schedule
from bookings.models.plan import Hours, Plan, Session
from bookings.presenters.clinics import (
    PlanPreview,
    affected_bookings,
    clinic_page,
    kept_ids,
    plan_preview,
    plan_rows,
)
from bookings.selectors.clinics import (
    booked_in,
    clinic_for,
    clinics_of,
    hosted_services,
    plain_diaries_of,
    plan_change,
)
from bookings.selectors.slots import booked_between
from bookings.services.clinics import apply_plan, last_run, switch, undo_run
from bookings.services.history import record_views
from bookings.states import RUN_DIARY
from bookings.views.common import clock, today
from bookings.views.diary import kept_fields
from directory.models import HealthcareService


@require_safe
@permission_required(RUN_DIARY)
def clinics(request: HttpRequest) -> HttpResponse:
    """All of them, or with `?missing=` those that home counts: not all of their slots are there."""
    acting, now = acting_of(request), clock()
    pages = [clinic_page(each, now=now) for each in clinics_of(acting)]
    missing = "missing" in request.GET
    if missing:
        pages = [each for each in pages if each.trouble]
    diaries = [] if missing else list(plain_diaries_of(acting))
    context = {"pages": pages, "diaries": diaries, "missing": missing}
    return render(request, "bookings/clinics.jinja", context)


@require_safe
@permission_required(RUN_DIARY)
def clinic(request: HttpRequest, clinic_id: UUID) -> HttpResponse:
    found, now = _clinic(request, clinic_id), clock()
    page = clinic_page(found, now=now)
    _look_at(request, [each.booking for each in page.staying])
    runs = list(found.runs.select_related("by", "undone_by")[:20])
    context = {"page": page, "runs": runs, "last": last_run(found), "lanes": found.lanes.order_by("lane")}
    return render(request, "bookings/clinic.jinja", context)


def _clinic(request: HttpRequest, clinic_id: UUID) -> Clinic:
    found = clinic_for(acting_of(request), clinic_id)
    if found is None:
        raise Http404
    return found


def _look_at(request: HttpRequest, bookings: list[Booking]) -> None:
    record_views(bookings=bookings, acting=acting_of(request), now=clock())


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(RUN_DIARY)
def new(request: HttpRequest) -> HttpResponse:
    """Empty, as a copy of another (`?copy=`), or from a diary that has no clinic yet (`?diary=`)."""
    acting = acting_of(request)
    adopts = _named(plain_diaries_of(acting), request.GET.get("diary", ""))
    copied = _named(clinics_of(acting), request.GET.get("copy", ""))
    initial: dict[str, Any] = {
        "first_day": today() + timedelta(days=1),
        "slot_minutes": "15",
        "lanes": "1",
        "lead_minutes": "0",
        "horizon_days": "28",
        "session_1_days": [str(day) for day in range(5)],
    }
    if isinstance(copied, Clinic):
        plan = copied.planned
        initial = shown_in_form(plan) | {
            "name": f"{plan.name} (copy)"[:80],
            "service": copied.service.service_id,
        }
    if isinstance(adopts, Schedule):
        initial = shown_in_form(_plan_of(adopts)) | {"service": adopts.service.service_id}
        return _build(request, initial=initial, services=[adopts.service], adopts=adopts)
    return _build(request, initial=initial, services=hosted_services(acting))


def _named(rows: Any, key: str) -> Any:
    return next((each for each in rows if key and str(each.pk) == key), None)


def _plan_of(diary: Schedule) -> Plan:
    """What a diary without a clinic does now, as a plan. It made slots on bank holidays too."""
    return Plan(
        name=diary.name,
        first_day=today(),
        last_day=None,
        sessions=(Session(tuple(diary.weekdays), Hours(diary.day_start, diary.day_end)),),
        slot_minutes=diary.slot_minutes,
        on_bank_holidays=True,
        **{name: getattr(diary, name) for name in Plan.__dataclass_fields__ if name in _SHARED},
    )


_SHARED = {
    "lead_minutes",
    "delivery_channel",
    "practitioner_prefix",
    "practitioner_given",
    "practitioner_family",
    "practitioner_gender",
    "practitioner_role_code",
    "practitioner_role",
    "location_name",
}


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(RUN_DIARY)
def change(request: HttpRequest, clinic_id: UUID) -> HttpResponse:
    found = _clinic(request, clinic_id)
    initial = shown_in_form(found.planned) | {"from_day": today() + timedelta(days=1)}
    return _build(request, initial=initial, changed=found)


def _build(
    request: HttpRequest,
    *,
    initial: dict[str, Any],
    services: list[HealthcareService] | None = None,
    changed: Clinic | None = None,
    adopts: Schedule | None = None,
) -> HttpResponse:
    """The form, then what it would change, then the yes, which counts for what was shown."""
    given = request.POST if request.method == "POST" else None
    form = ClinicForm(given, initial=initial, services=services, today=today(), is_change=changed is not None)
    context: dict[str, Any] = {"form": form, "clinic": changed, "adopts": adopts}
    step = request.POST.get("step")
    if given is None or step == "edit" or not form.is_valid() or form.plan is None:
        return render(request, "bookings/clinic_form.jinja", context)
    plan, told, now = form.plan, form.cleaned_data, clock()
    service = changed.service if changed else _chosen(services or [], told["service"])
    from_day: date = told["from_day"] if changed else max(plan.first_day, today())
    if step == "apply":
        try:
            run = apply_plan(
                service=service,
                clinic=changed,
                plan=plan,
                from_day=from_day,
                seen=request.POST.get("seen", ""),
                acting=acting_of(request),
                now=now,
                adopts=adopts,
            )
            messages.success(request, f"Done: {run.made} slots made, {run.withdrawn} withdrawn.")
            return redirect("bookings:clinic", run.clinic_id)
        except PolicyRefused as refusal:
            messages.error(request, refusal.sentence)
    diaries = _lanes(changed, adopts)
    preview = _preview(request, plan, diaries, from_day)
    more = {
        "preview": preview,
        "rows": plan_rows(plan, now=now),
        "service": service,
        "kept": kept_fields(request),
    }
    return render(request, "bookings/clinic_check.jinja", context | more)


def _chosen(services: list[HealthcareService], service_id: str) -> HealthcareService:
    return next(each for each in services if each.service_id == service_id)


def _lanes(changed: Clinic | None, adopts: Schedule | None) -> list[Schedule]:
    if adopts is not None:
        return [adopts]
    return list(changed.lanes.all()) if changed else []


def _preview(request: HttpRequest, plan: Plan | None, diaries: list[Schedule], from_day: date) -> PlanPreview:
    now = clock()
    changes = plan_change(plan, diaries=diaries, from_day=from_day, now=now)
    affected = list(booked_in(kept_ids(changes)))
    _look_at(request, affected)
    return plan_preview(changes, affected=affected, now=now)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(RUN_DIARY)
def undo(request: HttpRequest, clinic_id: UUID) -> HttpResponse:
    """Back to the plan before the last run, with a preview too."""
    found = _clinic(request, clinic_id)
    run = last_run(found)
    if run is None:
        messages.info(request, "There is nothing left to undo.")
        return redirect("bookings:clinic", found.pk)
    if request.method == "POST":
        try:
            undo_run(run=run, seen=request.POST.get("seen", ""), acting=acting_of(request), now=clock())
            messages.success(request, "The last change is undone.")
            return redirect("bookings:clinic", found.pk)
        except PolicyRefused as refusal:
            messages.error(request, refusal.sentence)
    plan = Plan.from_json(run.before) if run.before is not None else None
    preview = _preview(request, plan, list(found.lanes.all()), run.from_day)
    context = {
        "clinic": found,
        "run": run,
        "preview": preview,
        "rows": plan_rows(plan, now=clock()) if plan else [],
    }
    return render(request, "bookings/clinic_undo.jinja", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(RUN_DIARY)
def switch_clinic(request: HttpRequest, clinic_id: UUID) -> HttpResponse:
    """Off: whom that leaves in the diary is listed first. On: at once."""
    found, acting, now = _clinic(request, clinic_id), acting_of(request), clock()
    if request.method == "POST":
        on = request.POST.get("switch") == "on"
        switch(clinic=found, on=on, acting=acting, now=now)
        words = "is offered again" if on else "is switched off: nothing of it is offered any more"
        messages.success(request, f"{found.name} {words}.")
        return redirect("bookings:clinic", found.pk)
    lanes = list(found.lanes.values_list("pk", flat=True))
    staying = list(booked_between(lanes, start=now, end=now + timedelta(days=3650)))
    _look_at(request, staying)
    context = {"clinic": found, "staying": affected_bookings(staying)}
    return render(request, "bookings/clinic_switch.jinja", context)
