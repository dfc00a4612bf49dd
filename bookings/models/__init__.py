"""Diaries (Clinic, Schedule, Slot) and bookings."""

from bookings.models.booking import ASKS_FOR_ATTENTION as ASKS_FOR_ATTENTION
from bookings.models.booking import Booking as Booking
from bookings.models.booking import BookingDraft as BookingDraft
from bookings.models.booking import BookingStatusChange as BookingStatusChange
from bookings.models.booking import Rebooking as Rebooking
from bookings.models.clinics import CapacityAlarm as CapacityAlarm
from bookings.models.clinics import Clinic as Clinic
from bookings.models.clinics import ClinicRun as ClinicRun
from bookings.models.clinics import DiaryBlock as DiaryBlock
from bookings.models.clinics import DiaryFeed as DiaryFeed
from bookings.models.clinics import SenderCall as SenderCall
from bookings.models.diary import Schedule as Schedule
from bookings.models.diary import Slot as Slot
from bookings.models.diary import SlotStatus as SlotStatus
from bookings.models.diary import Standing as Standing
