"""Signing in with NHS CIS2: to the issuer, back with its answer, and the issuer's word that it is over."""

from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from bars_portal.accounts.acting import LIMIT_KEY
from bars_portal.accounts.cis2 import services as cis2_services
from bars_portal.accounts.cis2 import sign_in, tokens
from bars_portal.accounts.cis2.issuer import Cis2Config, Reason, SignInRefused, configured
from bars_portal.accounts.late_forms import safe_next
from bars_portal.accounts.views import welcome

_BACKEND = "bars_portal.accounts.acting.RoleBackend"


@require_safe
@never_cache
def start(request: HttpRequest) -> HttpResponse:
    """To the issuer's own page."""
    config, now = _config(), timezone.now()
    if request.user.is_authenticated:
        return redirect("home")
    next_page = safe_next(request, request.GET.get("next", ""))
    attempt = sign_in.begin(request.session, next_page=next_page, now=now)
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
    user, session = admission.user, request.session
    login(request, user, backend=_BACKEND)
    session[LIMIT_KEY], session[cis2_services.ID_TOKEN] = list(admission.organisation_ids), signed_in.id_token
    response = welcome(request, user, attempt.next_page, way="cis2")
    session.save()
    cis2_services.remember_session(
        user=user, issuer=config.issuer, sid=signed_in.sid, session_key=session.session_key or "", now=now
    )
    return response


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
