"""Filters of the worklist by name: keep the present one, rename it, delete it."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.refusals import PolicyRefused
from referrals.answer_forms import WorklistForm
from referrals.answer_forms.saved_filters import FilterNameForm
from referrals.models import SavedFilter
from referrals.permissions import VIEW
from referrals.selectors import saved_filter_for
from referrals.services import saved_filters
from referrals.states import Direction
from referrals.views.lookup import clock

_TEMPLATE = "referrals/saved_filter.jinja"


@require_http_methods(["GET", "POST"])
@permission_required(VIEW[Direction.RECEIVED])
def save(request: HttpRequest) -> HttpResponse:
    """The filter is in the address, as it is in the worklist's."""
    acting = acting_of(request)
    chosen = {
        name: value for name, value in WorklistForm(request.GET, acting=acting).chosen().items() if value
    }
    form = FilterNameForm(request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            saved_filters.save_filter(
                name=form.cleaned_data["name"], chosen=chosen, acting=acting, now=clock()
            )
        except PolicyRefused as refusal:
            form.add_error("name", refusal.sentence)
        else:
            return _to_list(request, chosen, "The filter is saved.")
    return render(request, _TEMPLATE, {"form": form, "query": urlencode(chosen), "saved": None})


@require_http_methods(["GET", "POST"])
@permission_required(VIEW[Direction.RECEIVED])
def rename(request: HttpRequest, filter_id: int) -> HttpResponse:
    saved = _saved(request, filter_id)
    form = FilterNameForm(request.POST or None, initial={"name": saved.name})
    if form.is_bound and form.is_valid():
        try:
            saved_filters.rename_filter(saved=saved, name=form.cleaned_data["name"])
        except PolicyRefused as refusal:
            form.add_error("name", refusal.sentence)
        else:
            return _to_list(request, saved.chosen, "The filter has its new name.")
    context = {"form": form, "query": urlencode(saved.chosen), "saved": _saved(request, filter_id)}
    return render(request, _TEMPLATE, context)


@require_POST
@permission_required(VIEW[Direction.RECEIVED])
def delete(request: HttpRequest, filter_id: int) -> HttpResponse:
    """A second press finds nothing left to delete, and says the same."""
    saved = saved_filter_for(acting_of(request), filter_id)
    if saved is not None:
        saved_filters.delete_filter(saved=saved)
    return _to_list(request, {}, "The filter is deleted.")


def _saved(request: HttpRequest, filter_id: int) -> SavedFilter:
    saved = saved_filter_for(acting_of(request), filter_id)
    if saved is None:
        raise Http404
    return saved


def _to_list(request: HttpRequest, chosen: dict[str, Any], done: str) -> HttpResponse:
    messages.success(request, done)
    return redirect(reverse("referrals:worklist", query=chosen or None))
