"""Schedules, slots and bookings."""

from django.apps import AppConfig


class BookingsConfig(AppConfig):
    name = "bookings"
    label = "bookings"
    verbose_name = "Bookings"

    def ready(self) -> None:
        from bars_portal.accounts.home import register
        from bookings.presenters.bookings import attention
        from bookings.selectors.slots import next_free_slots
        from directory import ports

        register(attention)
        ports.next_free.plug(next_free_slots)
