"""Schedules, slots and bookings."""

from django.apps import AppConfig


class BookingsConfig(AppConfig):
    name = "bookings"
    label = "bookings"
    verbose_name = "Bookings"

    def ready(self) -> None:
        from bars_portal.accounts.attention import register
        from bookings.attention import attention

        register(attention)
