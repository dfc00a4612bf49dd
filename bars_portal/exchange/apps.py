"""The Booking and Referral Standard, and every byte on the wire."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "bars_portal.exchange"
    label = "exchange"
    verbose_name = "Exchange"

    def ready(self) -> None:
        from bars_portal.audit import presenters

        presenters.register(
            {
                "exchange.explain_message": "Had a message explained",
                "exchange.explain_pasted": "Had a pasted message explained",
                "exchange.replay_message": "Tried a message again, keeping nothing (dry run)",
            }
        )
