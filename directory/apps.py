"""Services and how to reach them."""

from django.apps import AppConfig


class DirectoryConfig(AppConfig):
    name = "directory"
    label = "directory"
    verbose_name = "Directory"

    def ready(self) -> None:
        from bars_portal.accounts.home import register
        from bars_portal.exchange.registry import services
        from directory.presenters import attention, paused_here
        from directory.services.entries import KnownServices

        services.plug(KnownServices())
        register(attention)
        register(paused_here)
