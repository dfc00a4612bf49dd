"""The wiring app: Celery, system checks, and the admin site with our own sign-in."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class PortalConfig(AppConfig):
    name = "bars_portal"
    label = "portal"

    def ready(self) -> None:
        from bars_portal import checks as checks
        from bars_portal.celery import app as app
        from bars_portal.exchange.registry import autodiscover

        autodiscover()


class PortalAdminConfig(AdminConfig):
    default_site = "bars_portal.admin.PortalAdminSite"
