"""The room that looks at all others."""

from django.apps import AppConfig


class StatusConfig(AppConfig):
    name = "bars_portal.status"
    label = "status"
    verbose_name = "Status"

    def ready(self) -> None:
        # Every process learns which partners its figures may name.
        from bars_portal.accounts.home import register
        from bars_portal.audit import presenters
        from bars_portal.status import collector as collector
        from bars_portal.status.attention import certificates, wrong

        register(wrong)
        register(certificates)
        presenters.register({"status.examine": "Had the installation examined"})
