"""The room that counts what the others keep."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "bars_portal.reports"
    label = "reports"
    verbose_name = "Reports"

    def ready(self) -> None:
        from bars_portal.accounts.home import register
        from bars_portal.audit import presenters
        from bars_portal.reports.today import figures

        register(figures)
        presenters.register(
            {
                "reports.view_list": "Read the list behind a number of a report",
                "reports.export_list": "Saved the list behind a number of a report",
            }
        )
