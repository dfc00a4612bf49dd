"""The room that looks at all others."""

from django.apps import AppConfig


class StatusConfig(AppConfig):
    name = "bars_portal.status"
    label = "status"
    verbose_name = "Status"

    def ready(self) -> None:
        # Every process learns which partners its figures may name.
        from bars_portal.status import collector as collector
