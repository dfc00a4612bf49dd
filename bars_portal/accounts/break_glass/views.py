"""The pages of break-glass access: taking and ending it, and for who looks after privacy, reviewing it."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bars_portal.accounts.acting import BREAK_GLASS_KEY, acting_of
from bars_portal.accounts.break_glass import access
from bars_portal.accounts.decorators import permission_required, requires_step_up, sign_in_required
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.audit.presenters import action_words, outcome_words, subject_words
from bars_portal.audit.services import record
from bars_portal.nhsuk.forms import NHSForm, TextareaField
from bars_portal.nhsuk.pages import RowPaginator

_PAGE = 50


class BreakGlassForm(NHSForm):
    reason = TextareaField(
        label="Why do you need it?",
        hint="Such as: who asked you, and what cannot wait. Whoever looks after privacy reads it",
        max_length=1000,
        missing="Enter why you need it",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(access.BREAK)
@requires_step_up
def start(request: HttpRequest) -> HttpResponse:
    acting = acting_of(request)
    form = BreakGlassForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            taken = access.break_glass(acting=acting, reason=form.cleaned_data["reason"], now=timezone.now())
        except PolicyRefused as refusal:
            form.add_error(None, refusal.sentence)
        else:
            request.session[BREAK_GLASS_KEY] = str(taken.pk)
            return redirect("home")
    return render(request, "accounts/break_glass/start.jinja", {"form": form, "taken": acting.break_glass})


@require_POST
@sign_in_required
def end(request: HttpRequest) -> HttpResponse:
    acting = getattr(request, "acting", None)
    if acting is not None:
        access.end_break_glass(acting=acting, now=timezone.now())
    request.session.pop(BREAK_GLASS_KEY, None)
    messages.success(request, "Your break-glass access is over.")
    return redirect("home")


@require_safe
@permission_required(access.REVIEW)
def uses(request: HttpRequest) -> HttpResponse:
    """All of them, or with `?waiting=` those that home counts: nobody has reviewed them yet."""
    acting, now, waiting = acting_of(request), timezone.now(), "waiting" in request.GET
    record(actor=acting.actor, action="accounts.view_break_glass_uses", now=now)
    listed = access.uses_of(acting.organisation)
    page = RowPaginator(listed.filter(reviewed_at=None) if waiting else listed, _PAGE).get_page(
        request.GET.get("page")
    )
    return render(request, "accounts/break_glass/uses.jinja", {"page": page, "waiting": waiting})


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(access.REVIEW)
def use(request: HttpRequest, break_glass_id: UUID) -> HttpResponse:
    acting, now = acting_of(request), timezone.now()
    taken = access.uses_of(acting.organisation).filter(pk=break_glass_id).first()
    if taken is None:
        raise Http404
    if request.method == "POST":
        try:
            first = access.review(acting=acting, taken=taken, now=now)
        except PolicyRefused as refusal:
            messages.error(request, refusal.sentence)
            return redirect("accounts:break-glass-use", taken.pk)
        messages.success(request, "Your review is recorded." if first else "It was reviewed before.")
        return redirect("accounts:break-glass-uses")
    record(actor=acting.actor, action="accounts.view_break_glass", subject=taken, now=now)
    events = access.opened_under(taken)
    rows = [
        (event.at, action_words(event.action), subject_words(event), outcome_words(event.outcome))
        for event in events[: access.MOST_EVENTS]
    ]
    context = {"taken": taken, "rows": rows, "most": access.MOST_EVENTS, "lasts": taken.ends_at > now}
    return render(request, "accounts/break_glass/use.jinja", context)
