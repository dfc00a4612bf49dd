"""Signing in and out, staying signed in, and choosing the organisation to act for."""

from collections.abc import Iterable, Mapping
from typing import Any

from axes.helpers import get_cool_off
from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from bars_portal.accounts import middleware, services, sessions
from bars_portal.accounts.acting import SESSION_KEY, Acting, actor_of
from bars_portal.accounts.cis2.issuer import configured
from bars_portal.accounts.cis2.sign_in import leave_issuer
from bars_portal.accounts.decorators import note_proof, sign_in_required
from bars_portal.accounts.late_forms import (
    KEPT_FORMS,
    forget_person,
    has_kept_forms,
    keep_late_form,
    page_after_sign_in,
    remember_person,
    safe_next,
)
from bars_portal.accounts.models import Organisation, User
from bars_portal.accounts.second_factor.factors import begin_pending, has_factor, is_required
from bars_portal.accounts.throttling import SLOWED_SECONDS, client_address
from bars_portal.nhsuk.forms import NHSForm, Option, PasswordField, RadiosField, TextField


class SignInForm(NHSForm):
    username = TextField(
        label="Username", max_length=150, autocomplete="username", width=20, spellcheck=False
    )
    password = PasswordField(label="Password", classes="nhsuk-input--width-20")


class ChooseOrganisationForm(NHSForm):
    """Cleans `organisation` to the primary key of one of `organisations`, as text."""

    organisation = RadiosField(
        label="Which organisation are you acting for?",
        options=(),
        missing="Select the organisation you are acting for",
    )

    def __init__(self, *args: Any, organisations: Iterable[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [
            Option(str(each.pk), each.name, hint=f"ODS code {each.ods_code}") for each in organisations
        ]
        field = self.fields["organisation"]
        assert isinstance(field, RadiosField)  # noqa: S101 - narrows the type, as declared above
        field.choices = field.offer(offered)


_WRONG = "The username or password is not right. Check both and try again"
_ENDED: dict[str, str] = {
    middleware.Ended.IDLE: "You were signed out because the portal was not used for a while.",
    middleware.Ended.ABSOLUTE: "You were signed out because you had been signed in for a long time.",
}


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask who it is; on success back to `next`, when it is a page of ours and for the same person."""
    target = request.POST.get("next", request.GET.get("next", ""))
    if isinstance(request.user, User):
        return redirect(page_after_sign_in(request, request.user, target))
    form = SignInForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        user = _check(request, form)
        if user is not None and (has_factor(user) or is_required(user)):
            begin_pending(request.session, user=user, target=target, now=timezone.now())
            return redirect("accounts:second-factor")
        if user is not None:
            login(request, user)
            return welcome(request, user, target)
    context = {
        "form": form,
        "next_page": safe_next(request, target),
        "ended": _ENDED.get(request.GET.get("ended", ""), ""),
        "has_cis2": configured() is not None,
    }
    return render(request, "accounts/sign_in.jinja", context)


def _check(request: HttpRequest, form: SignInForm) -> User | None:
    """The person, or None with the error on the form and the attempt in the trail."""
    username = form.cleaned_data["username"]
    user = authenticate(request, username=username, password=form.cleaned_data["password"])
    if isinstance(user, User):
        return user
    locked = bool(getattr(request, "axes_locked_out", False))
    services.record_failed_sign_in(username=username, locked=locked, now=timezone.now())
    form.add_error(None, _WRONG)
    return None


def welcome(request: HttpRequest, user: User, target: str, *, way: str = "password") -> HttpResponse:
    """For whoever has just been logged in: starts the clocks, and leads to where they wanted to go."""
    begin_session(request, user, way=way)
    response = redirect(page_after_sign_in(request, user, target))
    remember_person(response, user.pk)
    return response


def begin_session(request: HttpRequest, user: User, *, way: str) -> None:
    """The same without leading anywhere."""
    now, session = timezone.now(), request.session
    middleware.start(session, now=now)
    note_proof(session, now=now)
    services.record_sign_in(user=user, way=way, now=now)
    sessions.note_session(
        user=user,
        session_key=session.session_key or "",
        device=sessions.device_words(request.headers.get("User-Agent", "")),
        address=client_address(request),
        now=now,
    )
    session[KEPT_FORMS] = has_kept_forms(user, now=now)
    if notice := services.take_sign_in_notice(user):
        messages.warning(request, notice)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session, and that of NHS CIS2 behind it; nobody returns to its pages by `next`."""
    elsewhere = ""
    if isinstance(request.user, User):
        now, back = timezone.now(), request.build_absolute_uri(reverse("accounts:sign-in"))
        elsewhere = leave_issuer(request.session, back_to=back, now=now)
        services.record_sign_out(user=request.user, now=now)
        sessions.forget_session(request.session.session_key or "")
    logout(request)
    response = redirect(elsewhere or "accounts:sign-in")
    forget_person(response)
    return response


@require_POST
def keep_alive(request: HttpRequest) -> HttpResponse:
    """204 when the session goes on (the middleware has noted the activity), else 401."""
    return HttpResponse(status=204 if request.user.is_authenticated else 401)


@require_POST
def keep_form(request: HttpRequest) -> HttpResponse:
    """Sent by a page whose session ends by itself: what was typed there is kept. 401 for strangers."""
    known = keep_late_form(request, now=timezone.now())
    if request.user.is_authenticated:
        request.session[KEPT_FORMS] = True
    return HttpResponse(status=204 if known else 401)


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


def locked_out(
    request: HttpRequest,
    original_response: HttpResponse | None = None,
    credentials: Mapping[str, str] | None = None,
) -> HttpResponse:
    """After too many failed sign-ins (AXES_LOCKOUT_CALLABLE): says when to try again, never `credentials`."""
    slowed = bool(getattr(request, "sign_in_slowed", False))
    wait = get_cool_off(request)
    seconds = SLOWED_SECONDS if slowed else int(wait.total_seconds())
    context = {"minutes": -(-seconds // 60), "seconds": seconds if slowed else 0}
    response = render(request, "accounts/locked_out.jinja", context, status=429)
    response.headers["Retry-After"] = str(seconds)
    return response
