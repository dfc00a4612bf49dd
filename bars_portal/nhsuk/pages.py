"""What every page has: its environment, navigation, and error pages in the house's style; pages of a list."""

import logging
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from jinja2 import ChainableUndefined, ChoiceLoader, Environment, PackageLoader
from jinja2.filters import do_indent
from markupsafe import Markup

from bars_portal.nhsuk import dates, words
from bars_portal.nhsuk.forms.base import field_params


@dataclass(frozen=True)
class NavItem:
    """Rooms above are named by URL only. A page sets `key` as `active_nav` to mark the entry as its own."""

    key: str
    text: str
    url_name: str
    permission: str


NAVIGATION = (
    NavItem("today", "Today", "home", ""),
    NavItem("find", "Find a service", "directory:search", "directory.find_service"),
    NavItem("bookings", "Bookings", "bookings:list", "bookings.view_sent_bookings"),
    NavItem("worklist", "Worklist", "referrals:worklist", "referrals.view_received_referrals"),
    NavItem("referrals", "Referrals", "referrals:sent", "referrals.view_sent_referrals"),
    NavItem("diary", "Diary", "bookings:diary", "bookings.view_diary"),
    NavItem("reports", "Reports", "reports:index", "reports.view_exchange"),
    NavItem("admin", "Admin", "admin:index", "portal.open_admin"),
)


@dataclass(frozen=True)
class NavLink:
    key: str
    text: str
    href: str


def address(url_name: str) -> str:
    """The page's path, or "" where this process does not serve it (an error page on another port)."""
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return ""


def links_for(permissions: frozenset[str]) -> tuple[NavLink, ...]:
    """Entries that this person may open, in their fixed order."""
    allowed = (item for item in NAVIGATION if not item.permission or item.permission in permissions)
    links = (NavLink(item.key, item.text, address(item.url_name)) for item in allowed)
    return tuple(link for link in links if link.href)


class RowPaginator(Paginator):  # type: ignore[type-arg]  # no generics at run time
    """Pages of a list of rows, however long it is.

    Of the rows before a page only the keys are read: what rows are joined with, and what they are large by,
    is read of the page alone. With an index in the list's order the last page costs no more than the index.
    """

    def page(self, number: int | str) -> "Page[Any]":
        rows = self.object_list
        if not isinstance(rows, QuerySet) or rows.query.is_sliced or rows.query.values_select:
            return super().page(number)
        number = self.validate_number(number)
        if self.num_pages == 1:
            # All of it is shown.
            return super().page(number)
        first = (number - 1) * self.per_page
        keys = list(rows.values_list("pk", flat=True)[first : first + self.per_page])
        return Page(rows.filter(pk__in=keys), number, self)


_LABELS = {
    "simulator": "Simulator: not for patients",
    "simulated-int": "Simulated INT: not for patients",
    "sandbox": "Sandbox: not for patients",
    "int": "INT: integration test, not for patients",
    "prod": "Live",
}


def environment_facts() -> dict[str, str]:
    """`name` (of credentials.environments), `label` for the bar, `tone` (live or test) for its colour."""
    name = str(settings.BARS["ENVIRONMENT"])
    label = str(settings.ENVIRONMENT_LABEL) or _LABELS.get(name, name.upper())
    live = name == "prod" and not settings.ENVIRONMENT_LABEL
    return {"name": name, "label": label, "tone": "live" if live else "test"}


def portal(request: HttpRequest) -> dict[str, Any]:
    """Context processor. Touches the database only through `request.acting`, which middleware has filled."""
    acting = getattr(request, "acting", None)
    return {
        "environment": environment_facts(),
        "version": settings.VERSION,
        "acting": acting,
        "nav_links": links_for(acting.permissions) if acting else (),
        "idle_limit_seconds": settings.IDLE_LIMIT_SECONDS,
        "idle_warning_seconds": settings.IDLE_WARNING_SECONDS,
        "csp_nonce": getattr(request, "csp_nonce", ""),
        "now": timezone.now(),
    }


logger = logging.getLogger(__name__)

_LAST_RESORT = (
    '<!DOCTYPE html><html lang="en-GB"><head><meta charset="utf-8"><title>Error - BaRS portal</title></head>'
    "<body><main><h1>Sorry, there is a problem with the portal</h1>"
    "<p>Check the status of your booking before you send it again.</p></main></body></html>"
)


def reference(request: HttpRequest) -> str:
    """The first 8 characters of the correlation id, which the log has in full; "" when there is none yet."""
    return str(getattr(request, "correlation_id", ""))[:8]


def _page(request: HttpRequest, status: int, template: str = "", **context: Any) -> HttpResponse:
    """A page with navigation: may read the signed-in user."""
    context["reference"] = reference(request)
    content = loader.render_to_string(f"errors/{template or status}.jinja", context, request)
    return HttpResponse(content, status=status)


def _static_page(request: HttpRequest, status: int) -> HttpResponse:
    """A page that touches neither database, session nor user: those may be what is broken."""
    context = {
        "reference": reference(request),
        "environment": environment_facts(),
        "version": settings.VERSION,
        "csp_nonce": getattr(request, "csp_nonce", ""),
    }
    return HttpResponse(loader.render_to_string(f"errors/{status}.jinja", context), status=status)


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _static_page(request, 400)


def too_large(request: HttpRequest) -> HttpResponse:
    """413: what was sent is larger than we take, and was not read."""
    return _static_page(request, 413)


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Shows the sentence of a policy's PermissionDenied, which is written for the user."""
    sentence = str(exception) if isinstance(exception, PermissionDenied) else ""
    return _page(request, 403, sentence=sentence)


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 404)


def handler500(request: HttpRequest) -> HttpResponse:
    try:
        return _static_page(request, 500)
    except Exception:  # the page that reports a failure has nobody left to report to
        logger.exception("The error page itself failed.")
        return HttpResponse(_LAST_RESORT, status=500)


def unavailable(request: HttpRequest) -> HttpResponse:
    """For a view that knows that the portal cannot serve right now."""
    return _static_page(request, 503)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page(request, 403, "403_csrf")


def _url(name: str, *args: Any, **kwargs: Any) -> str:
    return reverse(name, args=args, kwargs=kwargs)


def _indent(text: str, *args: Any, **kwargs: Any) -> str:
    """Jinja's own, by which the components stand within one another.

    It would escape markup line by line, though there is nothing to escape.
    """
    marked = isinstance(text, Markup)
    indented = do_indent(str(text), *args, **kwargs)
    return Markup(indented) if marked else indented  # noqa: S704 - as it came


FILTERS = {
    "indent": _indent,
    "date": dates.format_date,
    "day": dates.format_day,
    "time": dates.format_time,
    "datetime": dates.format_datetime,
    "relative": dates.format_relative,
    "clock_change": dates.clock_change,
    "age": dates.format_age,
    "nhs_number": words.format_nhs_number,
    "phone": words.format_phone,
}
GLOBALS = {
    "static": static,
    "url": _url,
    "address": address,
    "banner_name": words.banner_name,
    "banner_items": words.banner_items,
    "field_params": field_params,
}


def _shown(value: Any) -> Any:
    """Every text on every page."""
    return words.without_direction_marks(value) if type(value) is str else value


def environment(**options: Any) -> Environment:
    """Called by Django's Jinja2 backend with its own `loader`: our templates, then the NHS.UK components.

    Those need ChainableUndefined.
    """
    components = PackageLoader("nhsuk_frontend_jinja")
    options["loader"] = ChoiceLoader([options["loader"], components])
    options["undefined"] = ChainableUndefined
    options["autoescape"] = True
    options["finalize"] = _shown
    env = Environment(**options, trim_blocks=True, lstrip_blocks=True)  # noqa: S701 - escaping is on
    env.filters.update(FILTERS)
    env.globals.update(GLOBALS)
    return env
