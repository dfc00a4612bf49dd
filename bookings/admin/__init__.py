"""Staff pages of diaries and bookings."""

from bookings.admin.bookings import BookingAdmin as BookingAdmin
from bookings.admin.schedules import ScheduleAdmin as ScheduleAdmin
from bookings.admin.slots import SlotAdmin as SlotAdmin
