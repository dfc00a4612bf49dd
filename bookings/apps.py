"""Schedules, slots and bookings."""

from django.apps import AppConfig


class BookingsConfig(AppConfig):
    name = "bookings"
    label = "bookings"
    verbose_name = "Bookings"

    def ready(self) -> None:
        from bars_portal.accounts.attention import register
        from bookings.attention import attention
        from bookings.selectors.availability import next_free_slots
        from directory.availability import availability

        register(attention)
        availability.register(next_free_slots)
