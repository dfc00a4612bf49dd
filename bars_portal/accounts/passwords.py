"""Changing one's own password: the page, and what it asks for."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import authenticate, update_session_auth_hash
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from bars_portal.accounts import services, sessions
from bars_portal.accounts.acting import actor_of
from bars_portal.accounts.decorators import sign_in_required
from bars_portal.accounts.models import User
from bars_portal.nhsuk.forms import NHSForm, PasswordField

_WIDTH, _NEW = "nhsuk-input--width-20", "new-password"


class ChangePasswordForm(NHSForm):
    """Cleans to `current_password` and `new_password`; whether the former is right, the view asks.

    Each name says "password": such fields are never kept (accounts.late_forms).
    """

    current_password = PasswordField(label="Current password", classes=_WIDTH)
    new_password = PasswordField(label="New password", classes=_WIDTH, autocomplete=_NEW)
    new_password_again = PasswordField(
        label="New password again", classes=_WIDTH, autocomplete="new-password"
    )

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
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - narrows the type, as sign_in_required saw to it
    given = request.POST if request.method == "POST" and user.has_usable_password() else None
    form = ChangePasswordForm(given, user=user)
    if form.is_valid() and _is_theirs(request, user, form):
        services.change_password(
            user=user, password=form.cleaned_data["new_password"], actor=actor_of(request), now=timezone.now()
        )
        before = request.session.session_key or ""
        update_session_auth_hash(request, user)
        sessions.follow_session(old_key=before, new_key=request.session.session_key or "")
        sessions.end_sessions(
            user=user, actor=actor_of(request), but_key=request.session.session_key or "", now=timezone.now()
        )
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
