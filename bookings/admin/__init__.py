"""Staff pages of diaries and bookings."""

from bookings.admin.bookings import BookingAdmin as BookingAdmin
from bookings.admin.diaries import ScheduleAdmin as ScheduleAdmin
from bookings.admin.diaries import SlotAdmin as SlotAdmin
