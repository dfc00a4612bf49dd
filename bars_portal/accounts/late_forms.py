"""Back to where a person was, with what they had typed: only on this host, only for the same person."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import unquote, urlencode, urljoin, urlsplit

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_protect
from lxml import html

from bars_portal.accounts.acting import name_of
from bars_portal.accounts.models import ADDRESS_LENGTH, KeptForm, User
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.sealing import Sealer

# In the session of somebody who has kept forms: the others cost no query.
KEPT_FORMS = "kept_forms"
# In the session of somebody whose act waits until they have confirmed who they are.
INTERRUPTED = "interrupted"
KEPT_FOR = timedelta(hours=1)
# Far more than the longest form has; more than that is not typed by a person.
_MOST_BYTES = 200_000
_MOST_FORMS = 10
_SEALER = Sealer("bars_portal.accounts kept form")
# Never written down, not even encrypted; nor is a whole message that somebody pastes to have it explained.
_SECRET = ("password", "otp", "token", "csrf", "pasted")


@transaction.atomic
def keep_form(*, user: User, page: str, action: str, fields: QueryDict, now: datetime) -> bool:
    """False when there is nothing to keep, or too much, or for an address that no page of ours has.

    A newer one takes the place of the older.
    """
    typed = _typed(fields)
    forget_old(now=now)
    if not typed or len(typed) > _MOST_BYTES or not all(map(_may_be_ours, (page, action))):
        return False
    KeptForm.objects.update_or_create(
        user=user, page=page, action=action, defaults={"sealed": _SEALER.seal(typed), "kept_at": now}
    )
    newest = KeptForm.objects.filter(user=user).order_by("-kept_at").values("pk")[:_MOST_FORMS]
    KeptForm.objects.filter(user=user).exclude(pk__in=newest).delete()
    actor = Actor(label=name_of(user), user_id=user.pk)
    record(actor=actor, action="accounts.keep_form", subject=user, now=now)
    return True


def has_kept_forms(user: User, *, now: datetime) -> bool:
    return KeptForm.objects.filter(user=user, kept_at__gt=now - KEPT_FOR).exists()


def kept_forms(user: User, path: str, *, now: datetime) -> list[tuple[str, QueryDict]]:
    """(action, fields as they were typed) of the forms of the pages at a path, of one person."""
    rows = KeptForm.objects.filter(user=user, kept_at__gt=now - KEPT_FOR).order_by("kept_at")
    there = [each for each in rows if unquote(urlsplit(each.page).path) == path]
    opened = ((each.action, _SEALER.unseal(bytes(each.sealed))) for each in there)
    return [(action, QueryDict(typed)) for action, typed in opened if typed is not None]


def forget_form(user: User, action: str) -> None:
    """The form was sent after all."""
    KeptForm.objects.filter(user=user, action=action).delete()


def forget_old(*, now: datetime) -> None:
    """Everybody's, so that nothing stays because its owner never came back."""
    KeptForm.objects.filter(kept_at__lte=now - KEPT_FOR).delete()


def _may_be_ours(address: str) -> bool:
    """What the database can hold: anybody can make up an address."""
    return len(address) <= ADDRESS_LENGTH and "\0" not in address


def _typed(fields: QueryDict) -> bytes:
    kept = QueryDict(mutable=True)
    for name in fields:
        if not any(word in name.lower() for word in _SECRET):
            kept.setlist(name, [each for each in fields.getlist(name) if isinstance(each, str)])
    return kept.urlencode().encode() if any(any(values) for _, values in kept.lists()) else b""


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
    return _leave_for(request, reverse("accounts:sign-in"), ended=ended)


def to_confirm(request: HttpRequest, *, now: datetime) -> HttpResponse:
    """Send somebody to prove who they are, in the same way: they are still signed in."""
    if request.method == "POST":
        keep_late_form(request, now=now)
        request.session[KEPT_FORMS] = request.session[INTERRUPTED] = True
        # KeptFormMiddleware would take this answer for the end of the form.
        request.form_is_kept = True  # type: ignore[attr-defined]  # read there
    return _leave_for(request, reverse("accounts:confirm"))


def _leave_for(request: HttpRequest, address: str, **query: str) -> HttpResponse:
    query = {"next": _current_page(request), **query}
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
    ours = request.method == "POST" and _answer_to_ours(request).status_code == HTTPStatus.NO_CONTENT
    if ours and user is not None and page:
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


@csrf_protect
def _answer_to_ours(request: HttpRequest) -> HttpResponse:
    """204, and 403 for a form from elsewhere: nobody plants words into somebody's form from another site."""
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


# Puts what was typed back into the forms of a page that is shown anew. Pure: HTML in, HTML out.
_NEVER_FILLED = frozenset({"submit", "button", "reset", "image", "file", "password"})
_NOT_OURS = "csrfmiddlewaretoken"
# No tree of lxml holds them, and they come along with what is pasted from Word and PDF.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
Values = dict[str, list[str]]


def fill(page: bytes, address: str, action: str, fields: QueryDict, *, notice: str) -> bytes:
    """The page at `address` with its form to `action` (both paths) as it was typed, and `notice` above it.

    Unchanged when it has no such form. Of several to one address the one with most of the names counts.
    """
    document = html.document_fromstring(page, parser=html.HTMLParser(encoding="utf-8"))
    forms = [form for form in document.iter("form") if _is_sent_to(form, address, action)]
    best = max(forms, key=lambda form: _shared(form, fields), default=None)
    if best is None or not _shared(best, fields):
        return page
    values = {name: [_UNWRITABLE.sub(" ", each) for each in fields.getlist(name)] for name in fields}
    for control in _controls(best):
        _set(control, values)
    best.addprevious(_notice(notice))
    return bytes(html.tostring(document, encoding="utf-8", doctype="<!DOCTYPE html>"))


def _shared(form: html.HtmlElement, fields: QueryDict) -> int:
    return len({_name(each) for each in _controls(form)} & set(fields))


def _notice(words: str) -> html.HtmlElement:
    box = html.Element("div", {"class": "nhsuk-inset-text", "role": "status"})
    paragraph = html.Element("p")
    paragraph.text = words
    box.append(paragraph)
    return box


def _is_sent_to(form: html.HtmlElement, address: str, action: str) -> bool:
    target = urlsplit(urljoin(address, form.get("action", ""))).path
    return str(form.get("method", "")).lower() == "post" and target == urlsplit(action).path


def _controls(form: html.HtmlElement) -> Iterator[html.HtmlElement]:
    for control in form.iter("input", "textarea", "select"):
        if _name(control) and _name(control) != _NOT_OURS and control.get("type") not in _NEVER_FILLED:
            yield control


def _name(control: html.HtmlElement) -> str:
    return str(control.get("name", ""))


def _set(control: html.HtmlElement, values: Values) -> None:
    """Controls of one name take the values in their order; a box that was not ticked was not sent."""
    given = values.get(_name(control))
    if control.get("type") in ("radio", "checkbox"):
        _mark(control, "checked", control.get("value", "on") in (given or ()))
    elif not given:
        return
    elif control.tag == "select":
        chosen = set(given) if control.get("multiple") is not None else {given.pop(0)}
        for option in control.iter("option"):
            _mark(option, "selected", option.get("value", option.text_content()) in chosen)
    elif control.tag == "textarea":
        # The parser of a browser drops the first line break.
        control.text = "\n" + given.pop(0)
    else:
        control.set("value", given.pop(0))


def _mark(element: html.HtmlElement, attribute: str, wanted: bool) -> None:
    if wanted:
        element.set(attribute, attribute)
    elif attribute in element.attrib:
        del element.attrib[attribute]
