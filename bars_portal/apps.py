"""The wiring app: Celery, system checks that span apps, and the admin site with our own sign-in.

One check looks whether the database server's own log may hold patients: it writes statements down, values and
all.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connections
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from bars_portal.credentials.environments import ENVIRONMENTS


class PortalConfig(AppConfig):
    name = "bars_portal"
    label = "portal"

    def ready(self) -> None:
        from bars_portal.celery import app as app
        from bars_portal.exchange.registry import autodiscover

        autodiscover()


@register()
def database_is_postgresql(**_: Any) -> list[CheckMessage]:
    """Constraints, locks and partial indexes are PostgreSQL's: there is no other branch anywhere."""
    if settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
        return []
    return [Error("The portal runs on PostgreSQL only: see DATABASE_URL.", id="portal.E001")]


class PortalAdminConfig(AdminConfig):
    default_site = "bars_portal.apps.PortalAdminSite"


class PortalAdminSite(AdminSite):
    """Only for people whose role opens it."""

    site_header = site_title = "BaRS portal administration"
    index_title = "Services, diaries, messages and audit"

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.has_perm("portal.open_admin")

    def login(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:
        """Sign in where everyone signs in, so that limits and audit are the same."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        return redirect(f"{reverse('accounts:sign-in')}?{urlencode({'next': request.get_full_path()})}")

    def password_change(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:  # type: ignore[override]  # a redirect
        """The portal's own, which is throttled and audited."""
        return redirect("accounts:change-password")

    def password_change_done(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:  # type: ignore[override]  # a redirect
        return redirect("accounts:change-password")

    def logout(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:  # type: ignore[override]  # a redirect
        """The portal's own, which is audited."""
        from bars_portal.accounts.views import sign_out

        return sign_out(request)


# By setting: the values that keep what people typed out of the log, the first of them to be advised. Errors
# themselves (`invalid input syntax for type date: "..."`), the statement of an error, its detail
# ("Key (...)=(...)"), every statement, the slow ones.
DISCREET: Mapping[str, tuple[str, ...]] = {
    "log_min_messages": ("log", "fatal", "panic"),
    "log_min_error_statement": ("panic", "fatal", "log"),
    "log_error_verbosity": ("terse",),
    "log_statement": ("none", "ddl"),
    "log_min_duration_statement": ("-1",),
    "log_min_duration_sample": ("-1",),
    "log_parameter_max_length_on_error": ("0",),
}


@register(Tags.database)
def database_log_is_discreet(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """For `migrate` and `check --database default`; where the patients are invented nobody is warned."""
    if not databases or ENVIRONMENTS[settings.BARS["ENVIRONMENT"]].is_simulated:
        return []
    return [
        Warning(
            f"The database server's log may hold patients: {name} is {value}.",
            hint=f"Set {name} to {DISCREET[name][0]} on the server, or for the portal's role.",
            id="portal.W001",
        )
        for name, value in _settings_of(databases[0]).items()
        if value not in DISCREET[name]
    ]


def _settings_of(alias: str) -> dict[str, str]:
    """As the server has them for our sessions; nothing when it is away, which others will say."""
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT name, setting FROM pg_settings WHERE name = ANY(%s) ORDER BY name", [list(DISCREET)]
            )
            return dict(cursor.fetchall())
    except DatabaseError:
        return {}
