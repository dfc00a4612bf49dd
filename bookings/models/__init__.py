"""Diaries (Schedule, Slot) and bookings."""

from bookings.models.booking import Booking as Booking
from bookings.models.booking import BookingDraft as BookingDraft
from bookings.models.booking import BookingStatusChange as BookingStatusChange
from bookings.models.booking import Rebooking as Rebooking
from bookings.models.diary import Schedule as Schedule
from bookings.models.diary import Slot as Slot
from bookings.models.diary import SlotStatus as SlotStatus
