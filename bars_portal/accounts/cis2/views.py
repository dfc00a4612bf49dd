"""Signing in with NHS CIS2: to the issuer, back with its answer, and the issuer's word that it is over."""

from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from bars_portal.accounts import services, sessions
from bars_portal.accounts.acting import LIMIT_KEY
from bars_portal.accounts.cis2 import services as cis2_services
from bars_portal.accounts.cis2 import sign_in, tokens
from bars_portal.accounts.cis2.issuer import Cis2Config, Reason, SignInRefused, configured
from bars_portal.accounts.late_forms import (
    KEPT_FORMS,
    has_kept_forms,
    page_after_sign_in,
    remember_person,
    safe_next,
)

_BACKEND = "bars_portal.accounts.acting.RoleBackend"
_ID_TOKEN = "cis2_id_token"  # noqa: S105 - the name of a key


@require_safe
@never_cache
def start(request: HttpRequest) -> HttpResponse:
    """To the issuer's own page."""
    config, now = _config(), timezone.now()
    if request.user.is_authenticated:
        return redirect("home")
    attempt = sign_in.begin(
        request.session, next_page=safe_next(request, request.GET.get("next", "")), now=now
    )
    try:
        return redirect(sign_in.authorization_address(config, attempt, back_to=_callback(request), now=now))
    except SignInRefused as refusal:
        return _refused(request, refusal.reason)


@require_safe
@never_cache
def callback(request: HttpRequest) -> HttpResponse:
    """The browser is back: who is it, and may they come in?"""
    config, now = _config(), timezone.now()
    try:
        attempt = sign_in.take(request.session, state=request.GET.get("state", ""), now=now)
        signed_in = sign_in.redeem(config, attempt, code=_code(request), back_to=_callback(request), now=now)
        admission = cis2_services.admit(signed_in.person, issuer=config.issuer)
    except SignInRefused as refusal:
        return _refused(request, refusal.reason)
    return _welcome(request, config, attempt, signed_in, admission)


@csrf_exempt
@require_POST
@never_cache
def back_channel_logout(request: HttpRequest) -> HttpResponse:
    """CIS2 says, server to server, that a session is over: 200, or 400 for what is not to be trusted."""
    config, now = _config(), timezone.now()
    try:
        ended = tokens.read_logout_token(request.POST.get("logout_token", ""), config, now=now)
    except SignInRefused:
        return HttpResponse(status=400)
    cis2_services.end_sessions(ended, issuer=config.issuer, now=now)
    return HttpResponse(status=200)


def leave(request: HttpRequest) -> str:
    """Before our session ends: where CIS2 ends its own, "" for who did not sign in there."""
    config, id_token = configured(), request.session.get(_ID_TOKEN, "")
    if config is None or not id_token:
        return ""
    cis2_services.forget_session(request.session.session_key or "")
    back = request.build_absolute_uri(reverse("accounts:sign-in"))
    return sign_in.end_address(config, id_token=id_token, back_to=back, now=timezone.now())


def _welcome(
    request: HttpRequest,
    config: Cis2Config,
    attempt: sign_in.Attempt,
    signed_in: sign_in.SignedIn,
    admission: cis2_services.Admission,
) -> HttpResponse:
    now, user = timezone.now(), admission.user
    login(request, user, backend=_BACKEND)
    sessions.start(request.session, now=now)
    request.session[LIMIT_KEY] = list(admission.organisation_ids)
    request.session[_ID_TOKEN] = signed_in.id_token
    request.session[KEPT_FORMS] = has_kept_forms(user, now=now)
    request.session.save()
    cis2_services.remember_session(
        user=user,
        issuer=config.issuer,
        sid=signed_in.sid,
        session_key=request.session.session_key or "",
        now=now,
    )
    services.record_sign_in(user=user, way="cis2", now=now)
    response = redirect(page_after_sign_in(request, user, attempt.next_page))
    remember_person(response, user.pk)
    return response


def _config() -> Cis2Config:
    config = configured()
    if config is None:
        raise Http404
    return config


def _code(request: HttpRequest) -> str:
    code = request.GET.get("code", "")
    if not code or "error" in request.GET:
        raise SignInRefused(Reason.DECLINED)
    return code


def _callback(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("accounts:cis2-callback"))


def _refused(request: HttpRequest, reason: Reason) -> HttpResponse:
    cis2_services.record_refusal(reason, now=timezone.now())
    return render(request, "accounts/cis2_refused.jinja", {"sentence": reason.sentence}, status=403)
