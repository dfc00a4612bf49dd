"""The Booking and Referral Standard, and every byte on the wire."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "bars_portal.exchange"
    label = "exchange"
    verbose_name = "Exchange"
