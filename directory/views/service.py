"""Everything known about one service, and the way to its slots."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.decorators import acting_of, permission_required
from directory.presenters import ServiceView, present
from directory.said import no_longer, obstacle_to_booking
from directory.selectors import service_by_id


@require_safe
@permission_required("directory.find_service")
def service_page(request: HttpRequest, service_id: str) -> HttpResponse:
    service = service_by_id(service_id)
    if service is None:
        raise Http404("There is no such service.")
    view = present(service, now=timezone.now())
    refused = obstacle_to_booking(service, now=timezone.now())
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
