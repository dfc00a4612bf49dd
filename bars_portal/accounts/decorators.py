"""What a view asks for before it runs."""

from collections.abc import Callable, MutableMapping
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from bars_portal.accounts.acting import Acting, actor_of
from bars_portal.accounts.late_forms import to_confirm, to_sign_in
from bars_portal.audit.services import record

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

# How long a proof of who somebody is counts for what weighs more.
FRESH_SECONDS = 10 * 60
_PROVEN_AT = "proven_at"


def sign_in_required(view: View[P]) -> View[P]:
    """Sends people who are signed out to the sign-in page. `request.acting` may be None behind it."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return to_sign_in(request, now=timezone.now())
        return view(request, *args, **kwargs)

    return guarded


def permission_required(permission: str) -> Callable[[View[P]], View[P]]:
    """`permission` is an entry of roles.PERMISSIONS. Signed out: to sign-in; not allowed: the 403 page."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not request.user.is_authenticated:
                return to_sign_in(request, now=timezone.now())
            acting: Acting | None = getattr(request, "acting", None)
            if acting is None or not acting.may(permission):
                refuse(request, permission)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def refuse(request: HttpRequest, permission: str) -> None:
    """Record one refusal and raise PermissionDenied. Names the view, never its address."""
    match = request.resolver_match
    record(
        actor=actor_of(request),
        action="accounts.open_page",
        outcome="refused",
        detail={"permission": permission, "page": match.view_name if match else ""},
        now=timezone.now(),
    )
    request.refusal_is_recorded = True  # type: ignore[attr-defined]  # read by RefusalMiddleware
    raise PermissionDenied


def requires_step_up(view: View[P]) -> View[P]:
    """Asks people to confirm who they are, when that is longer ago than FRESH_SECONDS, and brings them back.

    By their second factor, else their password; people of NHS CIS2 sign in there again. A form that was sent
    is not carried out: what was typed (but for files) is filled in again. Stands below the decorator that
    asks who may do it at all. On a method of the administration: `@method_decorator(requires_step_up)`.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        now = timezone.now()
        if not request.user.is_authenticated:
            return to_sign_in(request, now=now)
        if not is_fresh(request.session, now=now):
            return to_confirm(request, now=now)
        return view(request, *args, **kwargs)

    return guarded


def note_proof(session: MutableMapping[str, Any], *, now: datetime) -> None:
    """They just signed in, or confirmed who they are."""
    session[_PROVEN_AT] = now.timestamp()


def is_fresh(session: MutableMapping[str, Any], *, now: datetime) -> bool:
    proven = session.get(_PROVEN_AT)
    return isinstance(proven, int | float) and now.timestamp() - proven < FRESH_SECONDS
