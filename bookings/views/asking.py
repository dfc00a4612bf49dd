"""What a service says itself that it takes, before its first message (standard section 8)."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.exchange.gateway import get_client
from bookings.views.lookup import clock
from directory.models import HealthcareService, ServiceCapability
from directory.remote import sender_identity
from directory.selectors.services import service_by_id
from directory.services.capability import clear_capability, read_capability


def ask_first(request: HttpRequest, service: HealthcareService) -> ServiceCapability:
    """Asked over the wire when it is not known, or too old: never inside a transaction."""
    sender = sender_identity(acting_of(request))
    return read_capability(get_client(), service=service, sender=sender, now=clock())


@require_POST
@permission_required("bookings.book_slot")
def ask_again(request: HttpRequest, service_id: str) -> HttpResponse:
    """What the service said is forgotten: the page of its times asks it anew."""
    service = service_by_id(service_id)
    if service is None:
        raise Http404
    clear_capability(service=service)
    return redirect("bookings:slots", service.service_id)
