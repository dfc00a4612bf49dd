"""The directory's pages: find a service, and everything that is known about one."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from bars_portal.accounts.acting import Acting, acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.exchange.circuits import not_answering
from bars_portal.exchange.fhir.access import is_paused
from bars_portal.nhsuk.dates import format_moment
from directory.forms import SOONEST, PauseForm, ServiceSearchForm
from directory.policies import why_no_referrals_now
from directory.presenters import (
    ServiceView,
    closed_note,
    count_words,
    no_longer,
    obstacle_to_booking,
    origin_note,
    present,
    present_found,
)
from directory.selectors.search import FoundService, ServiceSearch
from directory.selectors.services import service_by_id, services_that_may_pause
from directory.services.entries import pause_referrals, resume_referrals

PER_PAGE = 20


@require_safe
@permission_required("directory.find_service")
def search(request: HttpRequest) -> HttpResponse:
    form = ServiceSearchForm(request.GET or None)
    if request.GET and not form.is_valid() and _is_typing(request):
        # Half a postcode beside the name is no error yet.
        return HttpResponse(status=204)
    if request.GET and not form.is_valid() and _wants_part(request):
        # Errors belong to the whole page: its title, its summary, its fields.
        return HttpResponseClientRedirect(request.get_full_path())
    partial = _wants_part(request)
    context = {"form": form, "partial": partial, **_results(request, form)}
    template = "directory/_results.jinja" if partial else "directory/search.jinja"
    response = render(request, template, context)
    patch_vary_headers(response, ("HX-Request",))
    return response


def _wants_part(request: HttpRequest) -> bool:
    """Whether htmx replaces the results of a page that is already there."""
    htmx: Any = getattr(request, "htmx", None)
    return bool(htmx) and not htmx.history_restore_request


def _is_typing(request: HttpRequest) -> bool:
    """Whether the page follows what somebody types into the name."""
    htmx: Any = getattr(request, "htmx", None)
    return bool(htmx) and htmx.trigger_name == "name"


def _results(request: HttpRequest, form: ServiceSearchForm) -> dict[str, Any]:
    if not form.is_bound or not form.is_valid():
        return {"searched": False}
    now = timezone.now()
    found = _search(form.cleaned_data, now)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return {
        "searched": True,
        "count": count_words(len(found)),
        "note": origin_note(found.origin),
        "closed": closed_note(found.left_out, none_left=len(found) == 0),
        "services": _present(page, found, now),
        "page": page,
        "query": _query(request),
        "compared": _compared(page),
    }


def _compared(page: Page[FoundService]) -> str:
    """Those of this page that take bookings, for a page that asks them all; "" for fewer than two."""
    ids = [each.service.service_id for each in page.object_list if each.service.takes_bookings]
    return urlencode([("service", each) for each in ids]) if len(ids) > 1 else ""


def _search(wanted: dict[str, Any], now: datetime) -> ServiceSearch:
    return ServiceSearch(
        text=wanted["name"],
        postcode=wanted["postcode"],
        service_id=wanted["dos_id"],
        service_type=wanted["type"],
        use_case=wanted["use_case"],
        takes=wanted["takes"],
        soonest=wanted["order"] == SOONEST,
        now=now,
    )


def _present(page: Page[FoundService], found: ServiceSearch, now: datetime) -> list[ServiceView]:
    listed = list(page.object_list)
    silent = not_answering(each.service.service_id for each in listed)
    return [
        present_found(each, found.origin, now=now, not_answering=silent.get(each.service.service_id))
        for each in listed
    ]


def _query(request: HttpRequest) -> str:
    """The search itself, for the links to its other pages."""
    query = request.GET.copy()
    query.pop("page", None)
    return f"{query.urlencode()}&" if query else ""


@require_safe
@permission_required("directory.find_service")
def service_page(request: HttpRequest, service_id: str) -> HttpResponse:
    service = service_by_id(service_id)
    if service is None:
        raise Http404("There is no such service.")
    now, silent = timezone.now(), not_answering([service.service_id])
    view = present(service, now=now, not_answering=silent.get(service.service_id))
    refused = obstacle_to_booking(service, now=now)
    context = {
        "service": view,
        "slots_url": "" if refused else _slots_url(view, acting_of(request)),
        # What the directory knows against it is said already.
        "refused": "" if view.obstacle else refused,
        "no_longer": no_longer(service),
    }
    return render(request, "directory/service.jinja", context)


def _slots_url(service: ServiceView, acting: Acting) -> str:
    """ "" when the service takes no bookings or this person does not search for slots."""
    if service.obstacle or not acting.may("bookings.search_slots"):
        return ""
    return reverse("bookings:slots", args=[service.service_id])


@require_safe
@permission_required("directory.change_healthcareservice")
def pauses(request: HttpRequest) -> HttpResponse:
    """Which services of one's own take no referrals for now, and which do."""
    now = timezone.now()
    services = list(services_that_may_pause(acting_of(request)))
    context = {
        "paused": [each for each in services if is_paused(each.paused_until, now)],
        "taking": [each for each in services if not is_paused(each.paused_until, now)],
    }
    return render(request, "directory/pauses.jinja", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("directory.change_healthcareservice")
def pause(request: HttpRequest, service_id: str) -> HttpResponse:
    """No referrals for a while; or again, before that is over."""
    acting, now = acting_of(request), timezone.now()
    service = services_that_may_pause(acting).filter(service_id=service_id).first()
    if service is None:
        raise Http404("There is no such service.")
    form = PauseForm(request.POST if request.POST and "resume" not in request.POST else None)
    if request.method == "POST" and "resume" in request.POST:
        resume_referrals(service=service, acting=acting, now=now)
        messages.success(request, f"{service.name} takes referrals again.")
        return redirect("directory:pauses")
    if request.method == "POST" and form.is_valid():
        until = form.ends_at(now)
        pause_referrals(
            service=service, until=until, reason=form.cleaned_data["reason"], acting=acting, now=now
        )
        messages.success(request, f"{service.name} takes no referrals until {format_moment(until, now)}.")
        return redirect("directory:pauses")
    context = {"form": form, "service": service, "reason": why_no_referrals_now(service, now=now)}
    return render(request, "directory/pause.jinja", context)
