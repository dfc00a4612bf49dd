"""What the booking pages show, as plain objects: templates only lay it out."""

from bars_portal.patients.presenters import patient_rows as patient_rows
from bars_portal.patients.typed import test_patients as test_patients
from bookings.presenters.booking import BookingPage as BookingPage
from bookings.presenters.booking import booking_page as booking_page
from bookings.presenters.booking import booking_rows as booking_rows
from bookings.presenters.diary import diary_page as diary_page
from bookings.presenters.diary import received_page as received_page
from bookings.presenters.slots import SlotPage as SlotPage
from bookings.presenters.slots import draft_summary as draft_summary
from bookings.presenters.slots import use_case_options as use_case_options
