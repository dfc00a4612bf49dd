"""Diaries and bookings between FHIR and the portal: pure, both directions, one module a theme."""

from bookings.mapping.appointments import accepted_appointment as accepted_appointment
from bookings.mapping.appointments import cancelled_appointment as cancelled_appointment
from bookings.mapping.appointments import ended_appointment as ended_appointment
from bookings.mapping.appointments import reference_of as reference_of
from bookings.mapping.around_slots import texts_with_slots as texts_with_slots
from bookings.mapping.messages import booking_entries as booking_entries
from bookings.mapping.messages import booking_message as booking_message
from bookings.mapping.messages import cancel_message as cancel_message
from bookings.mapping.messages import patient_url as patient_url
from bookings.mapping.offers import read_offers as read_offers
from bookings.mapping.received import ReceivedBooking as ReceivedBooking
from bookings.mapping.received import parse_booking as parse_booking
from bookings.mapping.received import read_times as read_times
from bookings.mapping.slot_texts import SlotTexts as SlotTexts
from bookings.mapping.slot_texts import slot_entry as slot_entry
from bookings.mapping.slot_texts import slot_template as slot_template
from bookings.mapping.slots import entries_with_slots as entries_with_slots
