"""Back to where a person was: only on this host, and only for the same person."""

from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_protect

from bars_portal.accounts.keeping import keep_form
from bars_portal.accounts.models import User

_COOKIE = "bars_last_person"
_SALT = "bars_portal.accounts.returning"
# Longer than a session lasts, so that its end is still the same person's.
_COOKIE_SECONDS = settings.ABSOLUTE_LIMIT_SECONDS + 60 * 60
# What a script sends when the session ends by itself: where the form stands, and where it goes.
PAGE_HEADER, ACTION_HEADER = "X-Form-Page", "X-Form-Action"


def safe_next(request: HttpRequest, target: str) -> str:
    """`target` when it is a page of this host, else ""."""
    allowed = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if allowed else ""


def to_sign_in(request: HttpRequest, *, now: datetime, ended: str = "") -> HttpResponse:
    """Send somebody to the sign-in page, with the page they were on as `next`.

    What they had typed there is kept: a form that comes too late is neither carried out nor lost.
    """
    keep_late_form(request, now=now)
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
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    return _page_of_form(request) if _person_of(request) else ""


def keep_late_form(request: HttpRequest, *, now: datetime) -> bool:
    """Only what the person of this browser sent from a page of ours; False when nobody knows who that is."""
    user = _person_of(request)
    page = safe_next(request, request.headers.get(PAGE_HEADER, "")) or _page_of_form(request)
    action = safe_next(request, request.headers.get(ACTION_HEADER, "")) or request.path
    if request.method == "POST" and user is not None and page and _is_from_us(request):
        keep_form(user=user, page=page, action=action, fields=request.POST, now=now)
    return user is not None


def _page_of_form(request: HttpRequest) -> str:
    """Where the form stood: by its Referer, else where it was sent, which is the same for most forms."""
    if request.path == reverse("accounts:sign-out"):
        return ""
    referer = request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")
    ours = urlsplit(referer).netloc == request.get_host() if safe_next(request, referer) else False
    return safe_next(request, _path(referer)) if ours else request.get_full_path()


def _person_of(request: HttpRequest) -> User | None:
    """Whose session it is, or was."""
    if isinstance(request.user, User):
        return request.user
    last = _last_person(request)
    return User.objects.filter(pk=last, is_active=True).first() if last.isdecimal() else None


def _is_from_us(request: HttpRequest) -> bool:
    """Nobody plants words into somebody's form from another site."""
    return bool(_answer_to_ours(request).status_code == HTTPStatus.NO_CONTENT)


@csrf_protect
def _answer_to_ours(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


def _path(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def remember_person(response: HttpResponse, user_id: int) -> None:
    """So that after a session only the same person goes back to the page, and to what they typed."""
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
    last = _last_person(request)
    somebody_else = bool(last) and last != str(user.pk)
    page = "" if somebody_else else safe_next(request, target)
    return page or reverse("home")


def _last_person(request: HttpRequest) -> str:
    """Their primary key as text, or ""."""
    return str(request.get_signed_cookie(_COOKIE, default="", salt=_SALT, max_age=_COOKIE_SECONDS))
