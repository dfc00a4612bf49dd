"""A person's own pages: what they sign in with, changing their password, and where they are signed in."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import authenticate, update_session_auth_hash
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bars_portal.accounts import services, sessions
from bars_portal.accounts.acting import actor_of
from bars_portal.accounts.decorators import requires_step_up, sign_in_required
from bars_portal.accounts.models import User
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.accounts.second_factor import services as second_factor
from bars_portal.accounts.second_factor.factors import factors_of, is_required
from bars_portal.accounts.second_factor.views import recovery_codes_page
from bars_portal.nhsuk.forms import NHSForm, PasswordField

_FEW_CODES = 3
_LONGEST_NUMBER = 20
_WIDTH, _NEW = "nhsuk-input--width-20", "new-password"


@require_safe
@never_cache
@sign_in_required
def security(request: HttpRequest) -> HttpResponse:
    user, factors = _person(request), factors_of(_person(request))
    context = {
        "factors": factors,
        "is_required": is_required(user),
        "has_password": user.has_usable_password(),
        "few_codes": factors.recovery_codes_left < _FEW_CODES,
        "sessions": sessions.sessions_of(user, current_key=_key(request), now=timezone.now()),
    }
    return render(request, "accounts/security.jinja", context)


@require_POST
@sign_in_required
@requires_step_up
def remove_factor(request: HttpRequest) -> HttpResponse:
    """`passkey` is the primary key of one of theirs; without it, it is the app."""
    passkey = request.POST.get("passkey", "")
    if passkey and not _is_number(passkey):
        raise Http404
    try:
        removed = second_factor.remove_factor(
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
        shown = second_factor.renew_recovery_codes(
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
    if chosen and not _is_number(chosen):
        raise Http404
    if chosen:
        sessions.end_session(user=user, pk=int(chosen), actor=actor, now=now)
        messages.success(request, "That browser is signed out.")
    else:
        sessions.end_sessions(user=user, actor=actor, but_key=_key(request), now=now)
        messages.success(request, "All other browsers are signed out.")
    return redirect("accounts:security")


class ChangePasswordForm(NHSForm):
    """Cleans to `current_password` and `new_password`; whether the former is right, the view asks.

    Each name says "password": such fields are never kept (accounts.late_forms).
    """

    current_password = PasswordField(label="Current password", classes=_WIDTH)
    new_password = PasswordField(label="New password", classes=_WIDTH, autocomplete=_NEW)
    new_password_again = PasswordField(label="New password again", classes=_WIDTH, autocomplete=_NEW)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user

    def clean_new_password(self) -> str:
        new = str(self.cleaned_data["new_password"])
        if new == self.cleaned_data.get("current_password"):
            raise ValidationError("Enter a password that is not the one you have", code="same")
        validate_password(new, self._user)
        return new

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        new, again = cleaned.get("new_password"), cleaned.get("new_password_again")
        if new and again and new != again:
            self.add_error("new_password_again", "The new passwords are not the same")
        return cleaned


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@sign_in_required
def change_password(request: HttpRequest) -> HttpResponse:
    """Whoever forgot to sign out has lent a session, not a password: the current one is asked for."""
    user = _person(request)
    given = request.POST if request.method == "POST" and user.has_usable_password() else None
    form = ChangePasswordForm(given, user=user)
    if form.is_valid() and _is_theirs(request, user, form):
        services.change_password(
            user=user, password=form.cleaned_data["new_password"], actor=actor_of(request), now=timezone.now()
        )
        before = _key(request)
        update_session_auth_hash(request, user)
        sessions.follow_session(old_key=before, new_key=_key(request))
        sessions.end_sessions(user=user, actor=actor_of(request), but_key=_key(request), now=timezone.now())
        messages.success(request, "Your password is changed.")
        return redirect("home")
    rules = password_validators_help_texts()
    context = {"form": form, "has_password": user.has_usable_password(), "rules": rules}
    return render(request, "accounts/change_password.jinja", context)


def _is_theirs(request: HttpRequest, user: User, form: ChangePasswordForm) -> bool:
    """By the way of sign-in, so that guesses count and lock as there."""
    found = authenticate(
        request, username=user.get_username(), password=form.cleaned_data["current_password"]
    )
    if found is not None and found.pk == user.pk:
        return True
    locked = bool(getattr(request, "axes_locked_out", False))
    services.record_refused_password(user=user, actor=actor_of(request), locked=locked, now=timezone.now())
    form.add_error("current_password", "This is not your password. Check it and try again")
    return False


def _is_number(text: str) -> bool:
    """Of a row, maybe: Python refuses to read one of thousands of digits."""
    return text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - narrows the type, as sign_in_required saw to it
    return request.user


def _key(request: HttpRequest) -> str:
    return request.session.session_key or ""
