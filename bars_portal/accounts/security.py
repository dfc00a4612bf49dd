"""A person's own page: what they sign in with, and where they are signed in."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from bars_portal.accounts import sessions
from bars_portal.accounts.acting import actor_of
from bars_portal.accounts.decorators import requires_step_up, sign_in_required
from bars_portal.accounts.models import User
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.accounts.second_factor import services
from bars_portal.accounts.second_factor.factors import factors_of, is_required
from bars_portal.accounts.second_factor.views import recovery_codes_page

_LOW = 3


@require_safe
@never_cache
@sign_in_required
def security(request: HttpRequest) -> HttpResponse:
    user, factors = _person(request), factors_of(_person(request))
    context = {
        "factors": factors,
        "is_required": is_required(user),
        "has_password": user.has_usable_password(),
        "few_codes": factors.recovery_codes_left < _LOW,
        "sessions": sessions.sessions_of(user, current_key=_key(request), now=timezone.now()),
    }
    return render(request, "accounts/security.jinja", context)


@require_POST
@sign_in_required
@requires_step_up
def remove_factor(request: HttpRequest) -> HttpResponse:
    """`passkey` is the primary key of one of theirs; without it, it is the app."""
    passkey = request.POST.get("passkey", "")
    if passkey and not passkey.isdecimal():
        raise Http404
    try:
        removed = services.remove_factor(
            user=_person(request),
            passkey_id=int(passkey) if passkey else None,
            actor=actor_of(request),
            now=timezone.now(),
        )
    except PolicyRefused as refusal:
        messages.error(request, refusal.sentence)
        return redirect("accounts:security")
    if not removed:
        raise Http404
    messages.success(request, f"Your {'passkey' if passkey else 'authenticator app'} is removed.")
    return redirect("accounts:security")


@require_POST
@never_cache
@sign_in_required
@requires_step_up
def renew_recovery_codes(request: HttpRequest) -> HttpResponse:
    try:
        shown = services.renew_recovery_codes(
            user=_person(request), actor=actor_of(request), now=timezone.now()
        )
    except PolicyRefused as refusal:
        messages.error(request, refusal.sentence)
        return redirect("accounts:security")
    return recovery_codes_page(request, shown)


@require_POST
@sign_in_required
def end_session(request: HttpRequest) -> HttpResponse:
    """One by its id, or all others. What is over already is no fault."""
    user, actor, now = _person(request), actor_of(request), timezone.now()
    chosen = request.POST.get("session", "")
    if chosen.isdecimal():
        sessions.end_session(user=user, pk=int(chosen), actor=actor, now=now)
        messages.success(request, "That browser is signed out.")
    else:
        sessions.end_sessions(user=user, actor=actor, but_key=_key(request), now=now)
        messages.success(request, "All other browsers are signed out.")
    return redirect("accounts:security")


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - narrows the type, as sign_in_required saw to it
    return request.user


def _key(request: HttpRequest) -> str:
    return request.session.session_key or ""
