"""The wiring app: Celery, a system check that spans apps, and the admin site with our own sign-in."""

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode


class PortalConfig(AppConfig):
    name = "bars_portal"
    label = "portal"

    def ready(self) -> None:
        from bars_portal import database_log as database_log
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
