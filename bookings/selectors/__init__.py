"""Reads of diaries and bookings, scoped to what the person, or the caller, may see."""

from bookings.selectors.diary import DiaryEntry as DiaryEntry
from bookings.selectors.diary import diary_of as diary_of
from bookings.selectors.diary import diary_services as diary_services
from bookings.selectors.ended import ended_bookings_of as ended_bookings_of
from bookings.selectors.received import appointment_of as appointment_of
from bookings.selectors.received import appointments_of_patient as appointments_of_patient
from bookings.selectors.received import received_booking_by_wire as received_booking_by_wire
from bookings.selectors.sent import AttentionCounts as AttentionCounts
from bookings.selectors.sent import SentFilters as SentFilters
from bookings.selectors.sent import attention_counts as attention_counts
from bookings.selectors.sent import booking_for as booking_for
from bookings.selectors.sent import booking_of_draft as booking_of_draft
from bookings.selectors.sent import draft_for as draft_for
from bookings.selectors.sent import drafts_of as drafts_of
from bookings.selectors.sent import history_of as history_of
from bookings.selectors.sent import rebooking_of as rebooking_of
from bookings.selectors.sent import sent_bookings as sent_bookings
