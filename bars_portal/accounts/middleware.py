"""How long a session lasts, for whom it acts, and the middleware that ends it."""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from bars_portal.accounts.acting import actor_of, keep_permissions, resolve_acting, under_break_glass
from bars_portal.accounts.late_forms import (
    KEPT_FORMS,
    fill,
    forget_form,
    kept_forms,
    remember_person,
    to_sign_in,
)
from bars_portal.accounts.models import User
from bars_portal.accounts.permissions import noting_refusals
from bars_portal.accounts.services import record_refused_act, record_refused_page, record_sign_out

STARTED = "signed_in_at"
LAST_ACTIVITY = "last_activity_at"
# Not every click is written down: the idle limit may come this much early.
_GRANULARITY_SECONDS = 10

Session = MutableMapping[str, Any]


class Ended(StrEnum):
    """Why a session is over; the value goes into the sign-in page's address."""

    IDLE = "idle"
    ABSOLUTE = "absolute"


@dataclass(frozen=True)
class Limits:
    """Both in seconds."""

    idle: int
    absolute: int


def start(session: Session, *, now: datetime) -> None:
    """Begin both clocks, at sign-in."""
    session[STARTED] = session[LAST_ACTIVITY] = now.timestamp()


def ended(session: Session, *, now: datetime, limits: Limits) -> Ended | None:
    """Which limit has passed, if any; a session whose clocks cannot be read has been idle too long."""
    if STARTED not in session:
        return None
    started, last = session.get(STARTED), session.get(LAST_ACTIVITY)
    if not isinstance(started, int | float) or not isinstance(last, int | float):
        return Ended.IDLE
    if now.timestamp() - started >= limits.absolute:
        return Ended.ABSOLUTE
    return Ended.IDLE if now.timestamp() - last >= limits.idle else None


def note_activity(session: Session, *, now: datetime) -> None:
    """Push the idle limit forward."""
    if STARTED not in session:
        start(session, now=now)
    elif now.timestamp() - session[LAST_ACTIVITY] >= _GRANULARITY_SECONDS:
        session[LAST_ACTIVITY] = now.timestamp()


# Bad questions, what somebody may not do, and what is not there, or not theirs.
_REFUSALS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
_TYPED_BEFORE = (
    "You had to say who you are before this was sent. What you had typed is filled in again. "
    "Nothing is sent yet."
)
GetResponse = Callable[[HttpRequest], HttpResponse]

# Sent by pages that update themselves: nobody is sitting there.
BACKGROUND_HEADER = "X-Background"


class _Middleware:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response


class SessionLimitMiddleware(_Middleware):
    """Ends a session IDLE_LIMIT_SECONDS after a person's last request, and ABSOLUTE_LIMIT_SECONDS anyway."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return self.get_response(request)
        now = timezone.now()
        limits = Limits(settings.IDLE_LIMIT_SECONDS, settings.ABSOLUTE_LIMIT_SECONDS)
        over = ended(request.session, now=now, limits=limits)
        if over is not None:
            return _end(request, over, now)
        if BACKGROUND_HEADER not in request.headers:
            note_activity(request.session, now=now)
        return self.get_response(request)


def _end(request: HttpRequest, over: Ended, now: datetime) -> HttpResponse:
    user = request.user
    request.session.flush()
    response = to_sign_in(request, now=now, ended=over.value)
    response.headers["Cache-Control"] = "no-store"
    if isinstance(user, User):
        record_sign_out(user=user, reason=over.value, now=now)
        remember_person(response, user.pk)
    return response


class ActingMiddleware(_Middleware):
    """Sets `request.acting`: an Acting, or None for people who are signed out or belong nowhere."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        acting = resolve_acting(user, request.session) if isinstance(user, User) else None
        if acting is not None:
            acting = under_break_glass(acting, request.session, now=timezone.now())
        request.acting = acting  # type: ignore[attr-defined]  # read through acting_of()
        if acting is not None:
            organisation_id = acting.organisation.pk
            acting.user.acting_organisation_id = organisation_id  # type: ignore[attr-defined]  # for RoleBackend
            keep_permissions(acting.user, organisation_id, acting.permissions)
        elif isinstance(user, User):
            # Else the roles in every organisation would count, also where they did not sign in for.
            keep_permissions(user, None, frozenset())
        return self.get_response(request)


class RefusalMiddleware(_Middleware):
    """What a page or a policy refused somebody is on the trail, whatever the page made of the policy's no.

    After the page's transaction, which a refusal rolls back.
    """

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with noting_refusals() as refused_acts:
            response = self.get_response(request)
        match, now = request.resolver_match, timezone.now()
        if getattr(request, "refusal_is_recorded", False):
            return response
        if response.status_code in _REFUSALS and isinstance(request.user, User) and match and match.view_name:
            row, owner = getattr(request, "refused_row", (None, None))
            record_refused_page(
                actor=actor_of(request),
                page=match.view_name,
                status=response.status_code,
                ids=match.kwargs.values(),
                row=row,
                owner_id=owner,
                now=now,
            )
        elif refused_acts and request.method == "POST":
            record_refused_act(actor=actor_of(request), match=match, now=now)
        return response


class KeptFormMiddleware(_Middleware):
    """Shows a page as it was typed, to the person who sent it after their session had ended."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response, user = self.get_response(request), request.user
        if not isinstance(user, User) or not request.session.get(KEPT_FORMS):
            return response
        if getattr(request, "form_is_kept", False):
            return response
        if request.method == "POST" and response.status_code < HTTPStatus.BAD_REQUEST:
            forget_form(user, request.path)
        elif request.method == "GET" and _is_whole_page(response):
            for action, fields in kept_forms(user, request.path, now=timezone.now()):
                address = request.path
                response.content = fill(response.content, address, action, fields, notice=_TYPED_BEFORE)
        return response


def _is_whole_page(response: HttpResponse) -> bool:
    html = response.headers.get("Content-Type", "").startswith("text/html")
    return response.status_code == HTTPStatus.OK and html and not response.streaming
