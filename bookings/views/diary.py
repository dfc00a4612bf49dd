"""The receiving side: a day of one of our services, and one booking that was received."""

from datetime import date, timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from bars_portal.accounts.acting import Acting, acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.audit.services import record
from bookings.forms import DiaryForm
from bookings.presenters import diary_page, received_page
from bookings.selectors import diary_services
from bookings.services import record_view
from bookings.views.lookup import LONDON, clock, received_booking
from directory.models import HealthcareService


@require_safe
@permission_required("bookings.view_diary")
def diary(request: HttpRequest) -> HttpResponse:
    acting, now = acting_of(request), clock()
    services = list(diary_services(acting))
    form = DiaryForm(request.GET if "day-day" in request.GET else None)
    service = _service(request, services)
    if service is None:
        return render(request, "bookings/diary_none.jinja", {})
    day = _day(request, form, now.astimezone(LONDON).date())
    page = diary_page(service=service, day=day, acting=acting)
    _audit(acting, service)
    return render(request, "bookings/diary.jinja", {"form": form, "page": page, "services": services})


@require_safe
@permission_required("bookings.view_received_bookings")
def received(request: HttpRequest, booking_id: UUID) -> HttpResponse:
    booking, acting, now = received_booking(request, booking_id), acting_of(request), clock()
    record_view(booking=booking, acting=acting, now=now)
    page = received_page(booking, acting=acting, now=now)
    return render(request, "bookings/received.jinja", {"page": page})


def _audit(acting: Acting, service: HealthcareService) -> None:
    record(actor=acting.actor, action="bookings.view_diary", subject=service, now=clock())


def _service(request: HttpRequest, services: list[HealthcareService]) -> HealthcareService | None:
    asked = request.GET.get("service", "")
    return next((each for each in services if each.service_id == asked), next(iter(services), None))


def _day(request: HttpRequest, form: DiaryForm, today: date) -> date:
    if form.is_bound and form.is_valid() and form.cleaned_data["day"]:
        return date.fromisoformat(str(form.cleaned_data["day"]))
    try:
        asked = date.fromisoformat(request.GET.get("on", ""))
    except ValueError:
        return today
    return min(max(asked, today - timedelta(days=3650)), today + timedelta(days=3650))
