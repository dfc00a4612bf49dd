"""Signing in with NHS CIS2: to the issuer, back with its answer, and the issuer's word that it is over."""

from datetime import datetime

from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from bars_portal.accounts.acting import LIMIT_KEY, actor_of
from bars_portal.accounts.cis2 import sign_in, tokens
from bars_portal.accounts.cis2.issuer import Cis2Config, Reason, SignInRefused, configured
from bars_portal.accounts.decorators import note_proof
from bars_portal.accounts.late_forms import safe_next
from bars_portal.accounts.models import User
from bars_portal.accounts.services import record_confirmation
from bars_portal.accounts.views import welcome

_BACKEND = "bars_portal.accounts.acting.RoleBackend"


@require_safe
@never_cache
def start(request: HttpRequest) -> HttpResponse:
    """To the issuer's own page; with `again` also for who is signed in by it, to confirm who they are."""
    config, now = _config(), timezone.now()
    again_for = None
    if isinstance(request.user, User):
        if not request.GET.get("again") or not request.session.get(sign_in.ID_TOKEN):
            return redirect("home")
        again_for = request.user.pk
    next_page = safe_next(request, request.GET.get("next", ""))
    attempt = sign_in.begin(request.session, next_page=next_page, now=now, again_for=again_for)
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
        admission = sign_in.admit(signed_in.person, issuer=config.issuer)
        if attempt.again_for is not None:
            return _confirmed(request, attempt, signed_in, admission, now)
    except SignInRefused as refusal:
        return _refused(request, refusal.reason)
    user, session = admission.user, request.session
    login(request, user, backend=_BACKEND)
    session[LIMIT_KEY], session[sign_in.ID_TOKEN] = list(admission.organisation_ids), signed_in.id_token
    response = welcome(request, user, attempt.next_page, way="cis2")
    session.save()
    sign_in.remember_session(
        user=user, issuer=config.issuer, sid=signed_in.sid, session_key=session.session_key or "", now=now
    )
    return response


def _confirmed(
    request: HttpRequest,
    attempt: sign_in.Attempt,
    signed_in: sign_in.SignedIn,
    admission: sign_in.Admission,
    now: datetime,
) -> HttpResponse:
    """The session goes on for the person whose it is. Raises SignInRefused for anybody else."""
    user, session = request.user, request.session
    if not isinstance(user, User) or not attempt.again_for == user.pk == admission.user.pk:
        raise SignInRefused(Reason.NOT_AGAIN)
    session[sign_in.ID_TOKEN] = signed_in.id_token
    sign_in.follow_issuer(sid=signed_in.sid, session_key=session.session_key or "")
    note_proof(session, now=now)
    record_confirmation(user=user, actor=actor_of(request), way="cis2", now=now)
    return redirect(attempt.next_page or "home")


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
    sign_in.end_sessions(ended, issuer=config.issuer, now=now)
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
    sign_in.record_refusal(reason, now=timezone.now())
    return render(request, "accounts/cis2_refused.jinja", {"sentence": reason.sentence}, status=403)
