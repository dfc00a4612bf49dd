"""Choosing the organisation to act for."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from bars_portal.accounts import services
from bars_portal.accounts.acting import SESSION_KEY, Acting, actor_of
from bars_portal.accounts.decorators import sign_in_required
from bars_portal.accounts.forms import ChooseOrganisationForm


@require_http_methods(["GET", "HEAD", "POST"])
@sign_in_required
def choose_organisation(request: HttpRequest) -> HttpResponse:
    """Only people with several organisations have a choice; everybody else goes home."""
    acting: Acting | None = getattr(request, "acting", None)
    if acting is None or not acting.other_organisations:
        return redirect("home")
    organisations = {str(each.pk): each for each in (acting.organisation, *acting.other_organisations)}
    form = ChooseOrganisationForm(
        request.POST if request.method == "POST" else None,
        organisations=organisations.values(),
        initial={"organisation": str(acting.organisation.pk)},
    )
    if not form.is_valid():
        return render(request, "accounts/choose_organisation.jinja", {"form": form})
    chosen = organisations[form.cleaned_data["organisation"]]
    request.session[SESSION_KEY] = chosen.pk
    services.record_organisation_choice(actor=actor_of(request), organisation=chosen, now=timezone.now())
    messages.success(request, f"You are now acting for {chosen.name}.")
    return redirect("home")
