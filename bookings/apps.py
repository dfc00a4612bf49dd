"""Schedules, slots and bookings."""

from django.apps import AppConfig


class BookingsConfig(AppConfig):
    name = "bookings"
    label = "bookings"
    verbose_name = "Bookings"

    def ready(self) -> None:
        from bars_portal.accounts.home import register
        from bars_portal.accounts.people.selectors import register as register_work
        from bars_portal.api import events
        from bars_portal.audit import presenters
        from bars_portal.correspondence.history import TASK_STEPS
        from bars_portal.patients.looks import question
        from bookings.presenters import clinics
        from bookings.presenters.bookings import attention
        from bookings.selectors import received, sent
        from bookings.selectors.slots import next_free_slots
        from bookings.states import VIEW_PERMISSION, BookingStatus
        from directory import ports

        presenters.register(
            {
                "bookings.view_booking": "Opened a booking",
                "bookings.view_journey": "Opened the times of a patient's case",
                "bookings.view_sent_list": "Opened the list of bookings sent",
                "bookings.view_diary": "Opened a diary",
                "bookings.print_clinic_list": "Opened a clinic list",
                "bookings.export_diary": "Saved a diary as a file",
                "bookings.view_waiting_list": "Read for whom a service had no time",
                "bookings.close_waiting": "Took somebody off the waiting list of a service",
            }
        )
        events.register(
            events.Kind("booking", "bookings.booking", VIEW_PERMISSION, tuple(BookingStatus), TASK_STEPS)
        )
        question.register_source(question.Source(received.subjects_of, received.journeys_named))
        register(attention)
        register(clinics.attention)
        register_work(sent.unfinished_work)
        ports.next_free.plug(next_free_slots)
