"""Back to where a person was: only on this host, and only for the same person."""

from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from bars_portal.accounts.models import User

_COOKIE = "bars_last_person"
_SALT = "bars_portal.accounts.returning"
_COOKIE_SECONDS = 60 * 60


def safe_next(request: HttpRequest, target: str) -> str:
    """`target` when it is a page of this host, else ""."""
    allowed = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if allowed else ""


def to_sign_in(request: HttpRequest, *, ended: str = "") -> HttpResponse:
    """Send somebody to the sign-in page, with the page they were on as `next` (never that of a POST)."""
    query = {"next": _current_page(request), "ended": ended}
    address = reverse("accounts:sign-in")
    filled = urlencode({name: value for name, value in query.items() if value}, safe="/")
    address += f"?{filled}" if filled else ""
    if request.headers.get("HX-Request"):
        # A redirect would put the whole sign-in page into a fragment.
        return HttpResponse(headers={"HX-Redirect": address})
    return redirect(address)


def _current_page(request: HttpRequest) -> str:
    if request.headers.get("HX-Request"):
        return safe_next(request, _path(request.headers.get("HX-Current-URL", "")))
    if request.path == reverse("accounts:sign-in"):
        # The page's own warning leaves for here: keep where it came from.
        return safe_next(request, request.GET.get("next", ""))
    return request.get_full_path() if request.method in ("GET", "HEAD") else ""


def _path(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def remember_person(response: HttpResponse, user_id: int) -> None:
    """So that after the end of a session only the same person goes back to the page."""
    response.set_signed_cookie(
        _COOKIE,
        str(user_id),
        salt=_SALT,
        max_age=_COOKIE_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def forget_person(response: HttpResponse) -> None:
    response.delete_cookie(_COOKIE, samesite="Lax")


def page_after_sign_in(request: HttpRequest, user: User, target: str) -> str:
    """Where to go: `target` when it is ours and nobody else was there before, else home."""
    last = request.get_signed_cookie(_COOKIE, default="", salt=_SALT, max_age=_COOKIE_SECONDS)
    somebody_else = bool(last) and last != str(user.pk)
    page = "" if somebody_else else safe_next(request, target)
    return page or reverse("home")
